//! By what a message finds its transaction.

use super::*;

#[test]
fn a_copy_over_udp_gets_the_same_bytes_again() {
    let mut table = table();
    let register = request("REGISTER", "z9hG4bKa");
    let id = accept(&mut table, &register, UDP, at(0));
    assert_eq!(table.feed_request(&register, FLOW, at(10)), Incoming::Retransmission);
    assert!(drain(&mut table).is_empty(), "there is no answer yet");
    let response = reply(&register, 200);
    table.respond(id, response.clone(), 200, at(20));
    drain(&mut table);
    let roamed = FlowId(8);
    assert_eq!(table.feed_request(&register, roamed, at(30)), Incoming::Retransmission);
    let outputs = drain(&mut table);
    let [Seen::Wants(TxOutput::Send { flow, bytes })] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert_eq!((flow, bytes), (&roamed, &response));
}

#[test]
fn on_tls_the_same_register_after_the_final_is_a_new_one() {
    let mut table = table();
    let register = request("REGISTER", "z9hG4bKa");
    let id = accept(&mut table, &register, TLS, at(0));
    assert_eq!(table.feed_request(&register, FLOW, at(1)), Incoming::Retransmission);
    table.respond(id, reply(&register, 407), 407, at(2));
    assert_eq!(table.feed_request(&register, FLOW, at(3)), Incoming::New);
}

#[test]
fn the_cookie_counts_in_any_case_and_the_rest_as_written() {
    let mut table = table();
    accept(&mut table, &request("REGISTER", "z9hG4bKaB"), UDP, at(0));
    let is = |table: &mut Table, branch: &str| table.feed_request(&request("REGISTER", branch), FLOW, at(1));
    assert_eq!(is(&mut table, "Z9HG4BKaB"), Incoming::Retransmission);
    assert_eq!(is(&mut table, "z9hG4bkaB"), Incoming::Retransmission);
    assert_ne!(is(&mut table, "z9hG4bKab"), Incoming::Retransmission);
    assert_ne!(is(&mut table, "aB"), Incoming::Retransmission, "without cookie it is another branch");
}

#[test]
fn clients_with_the_same_branch_never_meet() {
    let mut table = table();
    let first = request("REGISTER", "z9hG4bKc");
    accept(&mut table, &first, UDP, at(0));
    let others = [
        changed(&first, "198.51.100.7:5060", "198.51.100.8:5060"),
        changed(&first, "198.51.100.7:5060", "198.51.100.7:5062"),
        changed(&first, "call-1", "call-2"),
        changed(&first, "tag=a1", "tag=a2"),
        changed(&first, "CSeq: 7", "CSeq: 8"),
    ];
    for other in &others {
        assert_ne!(table.feed_request(other, FLOW, at(1)), Incoming::Retransmission);
    }
    let sent_by_in_capitals = changed(&first, "198.51.100.7:5060", "Host.Network.com");
    accept(&mut table, &changed(&sent_by_in_capitals, "call-1", "call-9"), UDP, at(1));
    let lower = changed(&changed(&first, "198.51.100.7:5060", "host.network.COM"), "call-1", "call-9");
    assert_eq!(table.feed_request(&lower, FLOW, at(2)), Incoming::Retransmission);
}

/// The patent prints one branch for all requests of a login; Communicator 2007 sends none.
#[test]
fn requests_without_a_branch_of_their_own_are_told_apart() {
    for branch in ["z9hG4bkc", "1"] {
        let mut table = table();
        let first = request("REGISTER", branch);
        let second = changed(&first, "CSeq: 7", "CSeq: 8");
        accept(&mut table, &first, UDP, at(0));
        accept(&mut table, &second, UDP, at(1));
        assert_eq!(table.feed_request(&first, FLOW, at(2)), Incoming::Retransmission);
        assert_eq!(table.feed_request(&second, FLOW, at(2)), Incoming::Retransmission);
    }
    let mut table = table();
    let bare = changed(&request("REGISTER", "z9hG4bKx"), ";branch=z9hG4bKx", "");
    accept(&mut table, &bare, UDP, at(0));
    assert_eq!(table.feed_request(&bare, FLOW, at(1)), Incoming::Retransmission);
}

#[test]
fn a_request_by_two_roads_is_merged_unless_it_was_challenged() {
    let mut table = table();
    let invite = request("INVITE", "z9hG4bKa");
    let by_other_road = request("INVITE", "z9hG4bKb");
    let id = accept(&mut table, &invite, UDP, at(0));
    assert_eq!(table.feed_request(&by_other_road, FLOW, at(1)), Incoming::Merged);
    let in_dialog = changed(&by_other_road, "bob@network.com>", "bob@network.com>;tag=b1");
    assert_eq!(table.feed_request(&in_dialog, FLOW, at(1)), Incoming::New);
    assert_eq!(table.feed_request(&request("OPTIONS", "z9hG4bKb"), FLOW, at(1)), Incoming::New);
    table.respond(id, reply(&invite, 407), 407, at(2));
    assert_eq!(table.feed_request(&by_other_road, FLOW, at(3)), Incoming::New, "it answers the challenge");
}

#[test]
fn an_ack_for_a_2xx_goes_to_the_dialog() {
    let mut table = table();
    let invite = request("INVITE", "z9hG4bKa");
    let id = accept(&mut table, &invite, UDP, at(0));
    table.respond(id, reply(&invite, 200), 200, at(1));
    drain(&mut table);
    assert_eq!(table.feed_request(&request("ACK", "z9hG4bKa"), FLOW, at(2)), Incoming::Ack { of: Some(id) });
    assert_eq!(table.feed_request(&request("ACK", "z9hG4bKb"), FLOW, at(2)), Incoming::Ack { of: None });
    assert_eq!(table.feed_request(&invite, FLOW, at(3)), Incoming::Retransmission);
    assert!(drain(&mut table).is_empty(), "the dialog repeats the 2xx");
    table.respond(id, reply(&invite, 200), 200, at(500));
    assert_eq!(shorts(&mut table), ["200"]);
}

#[test]
fn a_cancel_finds_its_invite_and_is_a_transaction_of_its_own() {
    let mut table = table();
    let cancel = request("CANCEL", "z9hG4bKa");
    assert_eq!(table.feed_request(&cancel, FLOW, at(0)), Incoming::New, "nothing to cancel");
    let invite = request("INVITE", "z9hG4bKa");
    let of = accept(&mut table, &invite, UDP, at(0));
    assert_eq!(table.feed_request(&cancel, FLOW, at(1)), Incoming::Cancel { of });
    assert_eq!(table.peek_server(&cancel), None, "it was not accepted yet");
    let id = table.accept_request(&cancel, UDP, 9, at(1)).unwrap();
    table.respond(id, reply(&cancel, 200), 200, at(1));
    table.respond(of, reply(&invite, 487), 487, at(1));
    assert_eq!(shorts(&mut table), ["200", "487"]);
    assert_eq!(table.feed_request(&cancel, FLOW, at(2)), Incoming::Retransmission);
    assert_eq!(shorts(&mut table), ["200"]);
}

#[test]
fn a_response_finds_only_its_own_request() {
    let mut table = table();
    let register = request("REGISTER", "z9hG4bKa");
    let id = table.request(&register, UDP, 5, at(0)).unwrap();
    let response = answer(&register, 200);
    assert_eq!(table.peek_client(&response), Some((id, &5, FLOW)));
    for (from, to) in [
        ("branch=z9hG4bKa", "branch=z9hG4bKb"),
        ("CSeq: 7", "CSeq: 8"),
        ("7 REGISTER", "7 INVITE"),
        ("call-1", "call-2"),
        (";branch=z9hG4bKa", ""),
    ] {
        assert_eq!(table.peek_client(&changed(&response, from, to)), None, "{to}");
    }
    assert_eq!(table.peek_server(&register), None, "the two sides of one table never meet");
    assert_eq!(table.feed_request(&register, FLOW, at(1)), Incoming::New);
}

#[test]
fn what_lacks_an_identity_is_unusable() {
    let mut table = table();
    let whole = text("REGISTER", "z9hG4bKa");
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        let lines: Vec<&str> = whole.split("\r\n").filter(|line| !line.starts_with(name)).collect();
        let message = parse(&lines.join("\r\n"));
        assert_eq!(table.feed_request(&message, FLOW, at(0)), Incoming::Unusable, "{name}");
    }
    assert_eq!(table.feed_request(&answer(&parse(&whole), 200), FLOW, at(0)), Incoming::Unusable);
}

#[test]
fn branches_are_fresh_and_carry_the_cookie() {
    let mut table = table();
    let branches: std::collections::BTreeSet<String> = (0..1_000).map(|_| table.branch()).collect();
    assert_eq!(branches.len(), 1_000);
    assert!(branches.iter().all(|branch| branch.starts_with("z9hG4bK") && branch.len() == 27));
}
