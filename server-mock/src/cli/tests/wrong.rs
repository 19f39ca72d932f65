//! Sixty wrong configurations and thirty wrong orders: each is refused with a place, a reason and a cure.

use super::*;

/// A configuration that works; each case changes one line of it.
const GOOD: &str = r#"domain = "network.com"
transports = ["tls", "tcp", "udp"]
dns_port = 5300
listen = "127.0.0.1"
[authentication]
schemes = "ntlm_and_digest"
dialect = "auto"
association_life = 600
logins_per_second = 10
[limits]
nonces = 5
wrong_answers = 30
[routing]
mode = "by_via"
backup = "hs102"
no_association = "proxy"
rate_limit = 120
[registrar]
expires = 600
min_expires = 60
max_expires = 3600
keep_alive = 300
flow_timer = 120
on_move = "recall"
[calls]
requests = 100
breadth = 4
[[server]]
name = "lb"
role = "distributor"
tls = 5061
tcp = 5060
[[server]]
name = "hs102"
role = "home"
tls = 5071
[[user]]
name = "alice"
password = "a"
home = "hs102"
[[user]]
name = "bob"
password = "b"
[[party]]
name = "moved"
home = "hs102"
plays = { redirects = "sip:bob@network.com" }
[[fault]]
server = "lb"
play = "silence"
times = 2
"#;

const PARTY: &str = "plays = { redirects = \"sip:bob@network.com\" }";

/// A line of it, what stands there instead, and words of the reason.
const CONFIGURATIONS: &[(&str, &str, &str)] = &[
    ("domain = \"network.com\"", "domain = \"\"", "the domain is empty"),
    ("domain = \"network.com\"", "domain = \".\"", "the domain is empty"),
    ("domain = \"network.com\"", "domain = \"192.0.2.1\"", "is no domain"),
    ("domain = \"network.com\"", "domain = \"sip:network.com\"", "is no domain"),
    ("domain = \"network.com\"", "domain = \"a@network.com\"", "is no domain"),
    ("domain = \"network.com\"", "domain = 5", "invalid type"),
    ("domain = \"network.com\"", "domain = network.com", ""),
    ("dns_port = 5300", "dns_port = \"many\"", "invalid type"),
    ("dns_port = 5300", "dns_port = 70000", "invalid value"),
    ("dns_port = 5300", "dns_port = -1", "invalid value"),
    ("dns_port = 5300", "dns_prot = 5300", "unknown field `dns_prot`"),
    ("dns_port = 5300", "dns_port = 5061", "port 5061 is taken"),
    ("listen = \"127.0.0.1\"", "listen = \"localhost\"", "IP address"),
    ("transports = [\"tls\", \"tcp\", \"udp\"]", "transports = []", "no transport is left"),
    ("transports = [\"tls\", \"tcp\", \"udp\"]", "transports = [\"sctp\"]", "unknown transport `sctp`"),
    ("transports = [\"tls\", \"tcp\", \"udp\"]", "transports = \"tls\"", "invalid type"),
    ("transports = [\"tls\", \"tcp\", \"udp\"]", "transports = [\"tls\"]", "a port for TCP"),
    ("schemes = \"ntlm_and_digest\"", "schemes = \"basic\"", "unknown variant `basic`"),
    ("schemes = \"ntlm_and_digest\"", "scheme = \"ntlm\"", "unknown field `scheme`"),
    ("dialect = \"auto\"", "dialect = \"klingon\"", "unknown variant `klingon`"),
    ("association_life = 600", "association_life = 0", "nonzero"),
    ("association_life = 600", "association_life = \"long\"", "invalid type"),
    ("logins_per_second = 10", "logins_per_second = 0", "nonzero"),
    ("nonces = 5", "nonces = 0", "nonzero"),
    ("nonces = 5", "nonce = 5", "unknown field `nonce`"),
    ("wrong_answers = 30", "wrong_answers = 0", "nonzero"),
    ("mode = \"by_via\"", "mode = \"sideways\"", "unknown variant `sideways`"),
    ("rate_limit = 120", "stranger_cap = 120", "is called `rate_limit` now"),
    ("rate_limit = 120", "rate_limit = -5", "invalid value"),
    ("backup = \"hs102\"", "backup = \"lb\"", "`lb` is no home server"),
    ("backup = \"hs102\"", "backup = \"hs109\"", "no server named `hs109`"),
    ("backup = \"hs102\"", "backup = \"hs102.network.com\"", "no server named"),
    ("no_association = \"proxy\"", "no_association = \"301\"", "unknown variant `301`"),
    ("expires = 600", "expires = 0", "`expires` is 0"),
    ("expires = 600", "expires = 30", "does not lie between"),
    ("expires = 600", "expires = 7200", "does not lie between"),
    ("expires = 600", "expires = \"ten minutes\"", "invalid type"),
    ("min_expires = 60", "min_expires = 0", "`min_expires` is 0"),
    ("min_expires = 60", "min_expires = 7200", "longer than the most"),
    ("max_expires = 3600", "max_expires = 0", "`max_expires` is 0"),
    ("keep_alive = 300", "keep_alive = 0", "`keep_alive` is 0"),
    ("flow_timer = 120", "flow_timer = 0", "`flow_timer` is 0"),
    ("on_move = \"recall\"", "on_move = \"later\"", "unknown variant `later`"),
    ("requests = 100", "requests = 0", "nonzero"),
    ("requests = 100", "requests_of_user = 100001", "`requests_of_user` does not lie between"),
    ("requests = 100", "calls = 99999999999", "`calls` does not lie between 1 and 1000000"),
    ("breadth = 4", "breadth = 257", "`breadth` does not lie between 1 and 256"),
    ("breadth = 4", "breadth = \"wide\"", "invalid type"),
    (PARTY, "plays = { redirects = \"bob\\r\\nVia: x\" }", "is no address to redirect a call to"),
    (PARTY, "plays = { redirects = \"mailto:bob@network.com\" }", "is no address to redirect a call to"),
    ("name = \"lb\"", "name = \"\"", "no short name"),
    ("name = \"lb\"", "name = \"lb.network.com\"", "no short name"),
    ("name = \"hs102\"", "name = \"LB\"", "two servers named `LB`"),
    ("role = \"distributor\"", "role = \"king\"", "unknown variant `king`"),
    ("role = \"distributor\"", "rule = \"home\"", "unknown field `rule`"),
    ("tls = 5061", "tls = 99999", "invalid value"),
    ("tls = 5071", "tls = 5061", "port 5061 is taken"),
    ("tcp = 5060", "tcp = 5061", "port 5061 is taken"),
    ("name = \"alice\"", "name = \"\"", "a user without a name"),
    ("name = \"alice\"", "name = \"alice@other.com\"", "a user of another domain"),
    ("name = \"alice\"", "name = \"alice@network.com\"", "names the domain, too"),
    ("name = \"bob\"", "name = \"Alice\"", "two users named `Alice`"),
    ("home = \"hs102\"", "home = \"lb\"", "`lb` is no home server"),
    ("home = \"hs102\"", "home = \"hs109\"", "no server named `hs109`"),
    ("password = \"a\"", "password = 5551234", "a password is a text in quotes"),
    ("password = \"b\"", "enabled = true", "either `password` or `password_file`"),
    (
        "password = \"b\"",
        "password = \"b\"\npassword_file = \"b.txt\"",
        "either `password` or `password_file`",
    ),
    ("server = \"lb\"", "server = \"lb9\"", "no server named `lb9`"),
    ("play = \"silence\"", "play = \"noise\"", "unknown variant `noise`"),
    ("play = \"silence\"", "play = { respond = { status = 99 } }", "between 100 and 699"),
    ("play = \"silence\"", "play = \"unsigned_301\"\nmethod = \"MESSAGE\"", "REGISTER only"),
    ("times = 2", "times = 0", "played 0 times"),
];

#[test]
fn sixty_wrong_configurations_are_refused_each_with_its_line_a_reason_and_a_cure() {
    assert!(CONFIGURATIONS.len() >= 60, "{}", CONFIGURATIONS.len());
    EstateConfig::read(&written("good", GOOD)).unwrap().builder().unwrap();
    for (line, instead, why) in CONFIGURATIONS {
        let at = GOOD.lines().position(|is| is == *line).unwrap_or_else(|| panic!("`{line}` is there"));
        let lines = GOOD.lines().enumerate().map(|(n, is)| if n == at { *instead } else { is });
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        let error =
            EstateConfig::read(&written("sixty", &text)).err().unwrap_or_else(|| panic!("taken: {instead}"));
        let told = CliError::from(error).to_string();
        let (cause, cure) = told.split_once('\n').unwrap_or_default();
        assert!(cause.contains(why), "{instead}: no `{why}` in {told}");
        assert!(cause.starts_with("S01") && !cure.is_empty(), "{instead}: {told}");
        let number = cause.split("line ").nth(1).and_then(|rest| rest.split(':').next()?.parse().ok());
        let number: usize = number.unwrap_or_else(|| panic!("no line in {told}"));
        // Of two lines that contradict each other either may be named: then the reason quotes it.
        let named = text.lines().nth(number - 1).unwrap_or_default();
        let quoted =
            named.split([' ', '"', '=']).any(|word| word.len() > 2 && cause.to_lowercase().contains(word));
        let near = number.abs_diff(at + 1) <= 2;
        assert!(near || quoted, "{instead}: line {number} (`{named}`), not {}: {cause}", at + 1);
        assert!(!told.contains("5551234"), "a password in {told}");
    }
}

const ORDERS: &[(&str, &str)] = &[
    ("", "S0404"),
    ("{", "S0404"),
    ("status", "S0404"),
    ("[]", "S0404"),
    ("5", "S0404"),
    (r#""status""#, "S0404"),
    (r#"{"do":"dance"}"#, "S0404"),
    (r#"{"do":5}"#, "S0404"),
    (r#"{"server":"hs102"}"#, "S0404"),
    (r#"{"do":"status"} {"do":"status"}"#, "S0404"),
    (r#"{"do":"stop"}"#, "S0404"),
    (r#"{"do":"stop","server":5}"#, "S0404"),
    (r#"{"do":"stop","server":"hs9"}"#, "S0203"),
    (r#"{"do":"stop","server":""}"#, "S0203"),
    (r#"{"do":"stop","server":"hs102.network.com"}"#, "S0203"),
    (r#"{"do":"stop","server":"hs102","force":true}"#, "S0404"),
    (r#"{"do":"restart","server":"hs9"}"#, "S0203"),
    (r#"{"do":"move","user":"alice","home":"hs102"}"#, "S0404"),
    (r#"{"do":"move","user":"alice","home":"hs9","why":""}"#, "S0203"),
    (r#"{"do":"move","user":"alice","home":"lb","why":""}"#, "S0204"),
    (r#"{"do":"move","user":"nobody","home":"hs102","why":""}"#, "S0210"),
    (r#"{"do":"move","user":"alice@other.com","home":"hs102","why":""}"#, "S0210"),
    (r#"{"do":"move","user":"","home":"hs102","why":""}"#, "S0210"),
    (r#"{"do":"recall","user":"nobody"}"#, "S0210"),
    (r#"{"do":"disable","user":"nobody"}"#, "S0210"),
    (r#"{"do":"enable","user":""}"#, "S0210"),
    (r#"{"do":"journal","since":-1}"#, "S0404"),
    (r#"{"do":"journal","follow":"yes"}"#, "S0404"),
    (r#"{"do":"fault","server":"hs9","play":"silence"}"#, "S0203"),
    (r#"{"do":"fault","server":"lb","play":"noise"}"#, "S0404"),
    (r#"{"do":"fault","server":"lb","play":"silence","times":0}"#, "S0406"),
    (r#"{"do":"fault","server":"lb","play":"wrong_cseq","method":"BYE"}"#, "S0406"),
    (r#"{"do":"fault","server":"lb","play":{"respond":{"status":1000}}}"#, "S0406"),
    (r#"{"do":"clear_faults","server":"hs9"}"#, "S0203"),
    (r#"{"do":"expect","message":{"methode":"REGISTER"}}"#, "S0404"),
    (r#"{"do":"expect","message":{"server":"hs9"}}"#, "S0203"),
    (r#"{"do":"expect","message":{"method":"REGISTER"}}"#, "S0405"),
];

#[tokio::test]
async fn thirty_wrong_orders_are_refused_each_with_a_code_a_reason_and_a_cure() {
    assert!(ORDERS.len() >= 30, "{}", ORDERS.len());
    let text = config::EXAMPLE.replace("5061", "0").replace("5060", "0");
    let builder = EstateConfig::read(&written("thirty", &text)).unwrap().builder().unwrap();
    let estate = builder.start().await.unwrap();
    for (order, code) in ORDERS {
        let answer = ask(&estate, order).await;
        assert_eq!(answer["code"], *code, "{order}: {answer}");
        let words = |name: &str| answer[name].as_str().is_some_and(|text| !text.is_empty());
        assert!(words("error") && words("cure"), "{order}: {answer}");
    }
    let status = ask(&estate, r#"{"do":"status"}"#).await;
    assert!(status["servers"].as_array().unwrap().iter().all(|server| server["running"] == true), "{status}");
    assert_eq!(ask(&estate, r#"{"do":"users"}"#).await["users"][0]["home"], "hs104.network.com");
}
