# The short words for long commands; everything works without just.

# what CI runs
ci:
    .ci/run

# the README's test command
test:
    cargo test --workspace

# the architecture rules
architecture:
    cargo test -p homing-tests --test architecture

# many seeds of the simulated world, in release
seeds count="10000":
    HOMING_SEEDS={{count}} cargo test --release -p homing-tests --test sim seeds::seeds -- --exact

# one seed again, with its ladder
seed number:
    HOMING_SEED={{number}} cargo sim seeds::seeds -- --exact --nocapture

# a minute of fuzzing for each target, or as many seconds as said
fuzz seconds="60":
    tests/fuzz/run {{seconds}}

# write the claims page again
claims:
    HOMING_BLESS=1 cargo test -p homing-tests --test architecture claims

# real peers (Debian or Ubuntu; installs them)
interop:
    tests/interop/run

# our parser beside sofia-sip and osip2; whole processes
bench:
    tests/bench/run
    cargo bench -p homing-tests --bench figures --profile dist

# the phone with an estate inside
demo:
    cargo run --release -- demo
