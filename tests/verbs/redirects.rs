//! Wrong redirects as the command line tells them: code, sentence, next step, hop, and exit code 7.

use homing_server_mock::estate::Transport;
use homing_server_mock::fault::{Fault, Rule};

use crate::setup::{bed, event, events};

/// A wrong redirect of the distributor, and what must be said of it; `{lb}` is the distributor's name.
struct Row {
    fault: Fault,
    code: &'static str,
    sentence: &'static str,
    hint: &'static str,
}

const UNSIGNED: &str = "This may be an attack: an unsigned redirect. Show the administrator the trace.";
const FORGED: &str =
    "This may be an attack: a redirect with a wrong signature. Show the administrator the trace.";
const CHANGED: &str =
    "This may be an attack: a redirect whose targets were changed. Show the administrator the trace.";
const ASSIGNMENT: &str =
    "Something is wrong with this user's assignment; `homing redirect trace` shows each hop.";
const BROKEN: &str = "The server's assignment of this user is broken; show its administrator the trace.";

fn row(fault: Fault, code: &'static str, sentence: &'static str, hint: &'static str) -> Row {
    Row { fault, code, sentence, hint }
}

fn rows() -> Vec<Row> {
    vec![
        row(Fault::Unsigned301, "E0703", "redirect from {lb} ignored: it is not signed", UNSIGNED),
        row(Fault::BadSignature301, "E0704", "redirect from {lb} ignored: its signature is wrong", FORGED),
        row(
            Fault::OtherServersSignature,
            "E0704",
            "redirect from {lb} ignored: another server's association signed it",
            FORGED,
        ),
        row(Fault::Replayed301, "E0704", "redirect from {lb} ignored: it is a replay", FORGED),
        row(Fault::StatusChanged, "E0704", "redirect from {lb} ignored: its signature is wrong", FORGED),
        row(
            Fault::ContactChanged,
            "E0705",
            "redirect from {lb} ignored: its Contact was changed on the way",
            CHANGED,
        ),
        row(Fault::ToItself, "E0702", "redirect ignored: {lb} was already visited (loop)", ASSIGNMENT),
        row(Fault::Loop(2), "E0702", "redirect ignored: {lb} was already visited (loop)", ASSIGNMENT),
        row(Fault::Loop(3), "E0702", "redirect ignored: {lb} was already visited (loop)", ASSIGNMENT),
        row(Fault::Chain(6), "E0701", "stopped after 5 redirects", ASSIGNMENT),
        row(
            Fault::TlsToTcp,
            "E0706",
            "redirect drops TLS (tls to TCP) and was refused",
            "The server's administrator must offer TLS on both servers.",
        ),
        row(
            Fault::OtherDomain,
            "E0707",
            "redirect to hs1.other-domain.example refused: it lies outside network.com",
            "If that domain is trusted, list it under `redirect.domains` in the account.",
        ),
        row(
            Fault::IpLiteral,
            "E0708",
            "redirect to the address 127.0.0.1 refused",
            "If that network is trusted, list it under `redirect.ip_literals` in the account.",
        ),
        row(
            Fault::Maddr,
            "E0709",
            "redirect to hs104.network.com refused: its address carries instructions of its own",
            BROKEN,
        ),
        row(Fault::NoContact, "E0710", "redirect from {lb} names no usable server", BROKEN),
        row(
            Fault::Status302,
            "E0711",
            "redirect with status 302 is not followed",
            "Allow 302 in the account (`redirect.also_302 = true`) if it is meant.",
        ),
    ]
}

#[test]
fn every_wrong_redirect_is_told_with_code_sentence_next_step_and_exit_seven() {
    let bed = bed();
    let lb = bed.estate.node("lb").server_name(Transport::Tls).expect("it speaks TLS").to_string();
    for row in rows() {
        let wrong = format!("{:?}", row.fault);
        bed.estate.node("lb").inject_fault(Rule::always(row.fault));
        let sentence = row.sentence.replace("{lb}", &lb);
        let verb = "alice@network.com --password-file password";

        // A wrong signature is waited out; the two wait together.
        let (done, traced) = std::thread::scope(|threads| {
            let login = threads.spawn(|| bed.done(&format!("login {verb} --json")));
            let traced = bed.done(&format!("redirect trace {verb}"));
            (login.join().expect("a login"), traced)
        });
        let told = events(&done.out);
        let error = event(&told, "error");
        let said = (&error["code"], &error["sentence"], &error["hint"], &error["exit"]);
        let expected = (&row.code.into(), &sentence.as_str().into(), &row.hint.into(), &7.into());
        assert_eq!((done.code, said), (7, expected), "{wrong}: {done:?}");
        assert_eq!(done.err, "", "{wrong}: programs read one stream");
        let failed = event(&told, "login-failed");
        assert_eq!((&failed["error"]["code"], &failed["error"]["sentence"]), (said.0, said.1), "{wrong}");
        let hops = failed["journey"]["hops"].as_array().expect("hops");
        let verdict = &hops.last().expect("a hop")["verdict"];
        assert_eq!(
            (&verdict["is"], &verdict["code"]),
            (&"redirect-refused".into(), said.0),
            "{wrong}: {verdict}"
        );

        let done = traced;
        assert_eq!(done.code, 7, "{wrong}: {done:?}");
        assert_eq!(done.err, format!("{}: {sentence}\nHint: {}\n", row.code, row.hint), "{wrong}");
        assert!(done.out.starts_with(&format!("1 REGISTER → {lb}  401 ×2 → ")), "{wrong}: {}", done.out);
        assert!(done.out.contains(row.code) && done.out.contains(&sentence), "{wrong}: {}", done.out);
        assert!(bed.estate.bindings("alice").is_empty(), "{wrong}");
        bed.estate.nodes().for_each(|node| node.clear_faults());
    }
    assert_eq!(bed.done("login alice@network.com --password-file password").code, 0, "calm again");
}

#[test]
fn what_the_account_allows_is_followed() {
    let bed = bed();
    assert_eq!(bed.with_password("account add alice@network.com", "password").0, 0);
    for (setting, value, fault, code, error) in [
        ("redirect.limit", "0", None, 7, "E0701"),
        ("redirect.limit", "5", Some(Fault::TwoContactsFirstDead), 0, ""),
        ("redirect.also_302", "true", Some(Fault::Status302), 0, ""),
        // Where there is an association, it must sign whatever the account says.
        ("redirect.unsigned", "follow-over-tls", Some(Fault::Unsigned301), 7, "E0703"),
        ("redirect.loops", "strict-patent", Some(Fault::Chain(2)), 7, "E0702"),
    ] {
        assert_eq!(bed.done(&format!("account edit alice@network.com {setting} {value}")).code, 0);
        if let Some(fault) = fault {
            bed.estate.node("lb").inject_fault(Rule::always(fault));
        }
        let done = bed.done("redirect trace --json");
        assert_eq!(done.code, code, "{setting} = {value}: {done:?}");
        let told = events(&done.out);
        let trace = event(&told, "redirect-trace");
        assert_eq!(trace["home"].is_string(), code == 0, "{trace}");
        assert!(error.is_empty() || event(&told, "error")["code"] == error, "{done:?}");
        bed.estate.nodes().for_each(|node| node.clear_faults());
    }
}
