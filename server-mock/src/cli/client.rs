//! The other end of the control socket.

use std::path::Path;

use serde_json::Value;

use super::control::ControlCommand;
use super::error::CliError;

/// Gives one command and waits for what came of it.
pub(super) fn ask(socket: &Path, command: &ControlCommand) -> Result<Value, CliError> {
    let mut answer = None;
    lines(socket, command, |line| {
        answer = Some(line);
        false
    })?;
    answer.ok_or_else(|| CliError::garbled("the estate closed the connection"))
}

/// Gives one command and hands on each line of its answer until `take` has had enough or no more comes.
#[cfg(unix)]
pub(super) fn lines(
    socket: &Path,
    command: &ControlCommand,
    mut take: impl FnMut(Value) -> bool,
) -> Result<(), CliError> {
    use std::io::BufRead as _;
    for line in unix::send(socket, command)?.lines() {
        let line = line.map_err(|error| CliError::unreachable(socket, &error))?;
        let line: Value =
            serde_json::from_str(&line).map_err(|error| CliError::garbled(error.to_string()))?;
        if let Some(refused) = CliError::of_answer(&line) {
            return Err(refused);
        }
        if !take(line) {
            return Ok(());
        }
    }
    Ok(())
}

/// Hands on each user as it comes: there may be more than memory is good for.
#[cfg(unix)]
pub(super) fn users(socket: &Path, row: &mut dyn FnMut(&Value)) -> Result<(), CliError> {
    use serde::de::DeserializeSeed as _;
    let reader = unix::send(socket, &ControlCommand::Users)?;
    let mut reader = serde_json::Deserializer::from_reader(reader);
    let rest = unix::Answer(row).deserialize(&mut reader);
    let rest = rest.map_err(|error| CliError::garbled(error.to_string()))?;
    CliError::of_answer(&rest).map_or(Ok(()), Err)
}

/// There is no control socket on this system.
#[cfg(not(unix))]
pub(super) fn lines(
    _socket: &Path,
    _command: &ControlCommand,
    _take: impl FnMut(Value) -> bool,
) -> Result<(), CliError> {
    Err(CliError::new("S0304", "the control socket needs a Unix system", "Ask on the machine it runs on."))
}

/// There is no control socket on this system.
#[cfg(not(unix))]
pub(super) fn users(socket: &Path, _row: &mut dyn FnMut(&Value)) -> Result<(), CliError> {
    lines(socket, &ControlCommand::Users, |_| false)
}

#[cfg(unix)]
mod unix {
    use std::fmt;
    use std::io::{BufReader, Write as _};
    use std::os::unix::net::UnixStream;
    use std::path::Path;

    use serde::Deserializer;
    use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
    use serde_json::{Map, Value};

    use super::super::control::ControlCommand;
    use super::super::error::CliError;

    pub(super) fn send(socket: &Path, command: &ControlCommand) -> Result<BufReader<UnixStream>, CliError> {
        let unreachable = |error| CliError::unreachable(socket, &error);
        let mut stream = UnixStream::connect(socket).map_err(unreachable)?;
        let line = serde_json::to_string(command).map_err(|error| CliError::garbled(error.to_string()))?;
        stream.write_all((line + "\n").as_bytes()).map_err(unreachable)?;
        Ok(BufReader::new(stream))
    }

    /// Reads an answer; of `users` each row is handed on, and everything else is given back.
    pub(super) struct Answer<'r>(pub(super) &'r mut dyn FnMut(&Value));

    /// The rows of `users`.
    struct Rows<'r>(&'r mut dyn FnMut(&Value));

    impl<'de> DeserializeSeed<'de> for Answer<'_> {
        type Value = Value;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
            deserializer.deserialize_map(self)
        }
    }

    impl<'de> Visitor<'de> for Answer<'_> {
        type Value = Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an answer")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
            let mut rest = Map::new();
            while let Some(key) = map.next_key::<String>()? {
                if key == "users" {
                    map.next_value_seed(Rows(&mut *self.0))?;
                } else {
                    rest.insert(key, map.next_value()?);
                }
            }
            Ok(Value::Object(rest))
        }
    }

    impl<'de> DeserializeSeed<'de> for Rows<'_> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_seq(self)
        }
    }

    impl<'de> Visitor<'de> for Rows<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("users")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
            while let Some(row) = rows.next_element::<Value>()? {
                (self.0)(&row);
            }
            Ok(())
        }
    }
}
