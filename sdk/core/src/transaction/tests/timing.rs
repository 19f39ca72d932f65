//! The timer table of RFC 3261 and RFC 6026, to the millisecond.

use super::*;
use crate::time::Why;

const DAY: u64 = 86_400_000;

#[test]
fn timers_a_and_b_of_an_invite_over_udp() {
    let mut table = table();
    table.request(&request("INVITE", "z9hG4bKa"), UDP, 1, at(0)).unwrap();
    assert_eq!(shorts(&mut table), ["INVITE"]);
    assert_eq!(table.deadline().unwrap().why, Why::Retransmission);
    let seen = pass(&mut table, DAY);
    assert_eq!(times(&seen, "INVITE"), [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(times(&seen, "timed out"), [32_000]);
    assert!(table.is_empty() && table.deadline().is_none());
}

#[test]
fn timers_e_and_f_of_other_requests_over_udp() {
    let mut table = table();
    table.request(&request("REGISTER", "z9hG4bKa"), UDP, 1, at(0)).unwrap();
    assert_eq!(shorts(&mut table), ["REGISTER"]);
    let seen = pass(&mut table, DAY);
    let every_four = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(times(&seen, "REGISTER"), every_four);
    assert_eq!(times(&seen, "timed out"), [32_000]);
    assert!(table.is_empty());
}

#[test]
fn timer_e_is_t2_once_a_provisional_response_came() {
    let mut table = table();
    let options = request("OPTIONS", "z9hG4bKa");
    let id = table.request(&options, UDP, 1, at(0)).unwrap();
    pass(&mut table, 600);
    table.feed_response(id, &answer(&options, 100), at(600));
    assert_eq!(shorts(&mut table), ["provisional 100"]);
    let seen = pass(&mut table, DAY);
    assert_eq!(times(&seen, "OPTIONS"), [1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500]);
    assert_eq!(times(&seen, "timed out"), [32_000]);
}

#[test]
fn over_tls_nothing_is_repeated_and_b_and_f_stay() {
    for method in ["INVITE", "REGISTER"] {
        let mut table = table();
        table.request(&request(method, "z9hG4bKa"), TLS, 1, at(0)).unwrap();
        assert_eq!(shorts(&mut table), [method]);
        assert_eq!(table.deadline().unwrap().why, Why::AnswerOverdue);
        assert_eq!(pass(&mut table, DAY), [(32_000, "timed out".to_owned())], "{method}");
    }
}

#[test]
fn timer_c_is_raised_by_every_provisional_response() {
    let mut table = table();
    let invite = request("INVITE", "z9hG4bKa");
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    table.feed_response(id, &answer(&invite, 180), at(100));
    table.feed_response(id, &answer(&invite, 180), at(60_000));
    drain(&mut table);
    assert_eq!(
        pass(&mut table, DAY),
        [(250_000, "cancel due".to_owned()), (282_000, "timed out".to_owned())],
        "190 s after the last"
    );
}

#[test]
fn a_finished_client_lingers_for_d_k_or_m() {
    let rows = [
        ("INVITE", 486, UDP, 32_000),
        ("INVITE", 486, TLS, 0),
        ("INVITE", 200, UDP, 32_000),
        ("INVITE", 200, TLS, 32_000),
        ("REGISTER", 200, UDP, 5_000),
        ("REGISTER", 301, UDP, 5_000),
        ("REGISTER", 200, TLS, 0),
    ];
    for (method, status, flow_ref, lingers) in rows {
        let mut table = table();
        let asked = request(method, "z9hG4bKa");
        let id = table.request(&asked, flow_ref, 1, at(0)).unwrap();
        table.feed_response(id, &answer(&asked, status), at(0));
        let row = format!("{method} {status} over {}", flow_ref.transport);
        assert_eq!(table.unfinished(), 0, "{row}");
        assert_eq!(table.len(), usize::from(lingers > 0), "{row}");
        if lingers > 0 {
            let deadline = table.deadline().unwrap();
            assert_eq!((deadline.at, deadline.why), (at(lingers).since_start, Why::Lingering), "{row}");
        }
        pass(&mut table, DAY);
        assert!(table.is_empty(), "{row}");
    }
}

#[test]
fn timer_d_is_never_below_32_seconds() {
    let quick = Timers { t1: Duration::from_millis(10), ..Timers::default() };
    let table = TimerTable::new(quick);
    assert_eq!((table.d(), table.sixty_four_t1()), (Duration::from_secs(32), Duration::from_millis(640)));
}

#[test]
fn an_invite_is_stilled_with_100_after_200_ms() {
    let mut table = table();
    let invite = changed(&request("INVITE", "z9hG4bKa"), "CSeq", "Timestamp: 54\r\nCSeq");
    accept(&mut table, &invite, UDP, at(0));
    assert!(drain(&mut table).is_empty());
    table.handle_deadline(at(199));
    assert!(drain(&mut table).is_empty());
    table.handle_deadline(at(200));
    let outputs = drain(&mut table);
    let [Seen::Wants(TxOutput::Send { bytes, .. })] = outputs.as_slice() else { panic!("{outputs:?}") };
    let trying = Message::parse(bytes.clone()).unwrap();
    assert_eq!(trying.status(), Some(100));
    assert_eq!(trying.to().unwrap().tag(), None, "a 100 is not part of a dialog");
    assert_eq!(trying.text(homing_wire::Name::Other("Timestamp")).as_deref(), Some("54"));
    assert_eq!(table.deadline(), None, "now it waits for its user");
}

#[test]
fn an_answer_within_200_ms_comes_without_100() {
    for status in [180, 486, 200] {
        let mut table = table();
        let invite = request("INVITE", "z9hG4bKa");
        let id = accept(&mut table, &invite, TLS, at(0));
        table.respond(id, reply(&invite, status), status, at(199));
        assert_eq!(shorts(&mut table), [status.to_string()]);
        assert!(times(&pass(&mut table, DAY), "100").is_empty());
    }
}

#[test]
fn timers_g_and_h_of_a_refusal_over_udp() {
    let mut table = table();
    let invite = request("INVITE", "z9hG4bKa");
    let id = accept(&mut table, &invite, UDP, at(0));
    table.respond(id, reply(&invite, 486), 486, at(0));
    drain(&mut table);
    let seen = pass(&mut table, DAY);
    let every_four = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(times(&seen, "486"), every_four);
    assert_eq!(times(&seen, "ACK timed out"), [32_000]);
    assert!(table.is_empty());
}

#[test]
fn over_tls_a_refusal_waits_for_h_only() {
    let mut table = table();
    let invite = request("INVITE", "z9hG4bKa");
    let id = accept(&mut table, &invite, TLS, at(0));
    table.respond(id, reply(&invite, 486), 486, at(0));
    drain(&mut table);
    assert_eq!(pass(&mut table, DAY), [(32_000, "ACK timed out".to_owned())]);
}

#[test]
fn the_ack_ends_the_repetitions_and_timer_i_absorbs_its_copies() {
    for (flow_ref, lingers) in [(UDP, Some(6_000)), (TLS, None)] {
        let mut table = table();
        let invite = request("INVITE", "z9hG4bKa");
        let id = accept(&mut table, &invite, flow_ref, at(0));
        table.respond(id, reply(&invite, 486), 486, at(0));
        let ack = changed(&request("ACK", "z9hG4bKa"), "bob@network.com>", "bob@network.com>;tag=b1");
        assert_eq!(table.feed_request(&ack, FLOW, at(1_000)), Incoming::Acknowledged { of: id });
        drain(&mut table);
        let again = table.feed_request(&ack, FLOW, at(1_500));
        assert_eq!(matches!(again, Incoming::Acknowledged { .. }), flow_ref == UDP);
        assert_eq!(table.deadline().map(|deadline| deadline.at), lingers.map(|ms| at(ms).since_start));
        assert!(pass(&mut table, DAY).is_empty(), "nothing is sent after the ACK");
        assert!(table.is_empty());
    }
}

#[test]
fn a_finished_server_lingers_for_j_or_l() {
    let rows = [
        ("INVITE", 200, UDP, 32_000),
        ("INVITE", 200, TLS, 32_000),
        ("REGISTER", 200, UDP, 32_000),
        ("REGISTER", 401, UDP, 32_000),
        ("REGISTER", 200, TLS, 0),
    ];
    for (method, status, flow_ref, lingers) in rows {
        let mut table = table();
        let asked = request(method, "z9hG4bKa");
        let id = accept(&mut table, &asked, flow_ref, at(0));
        table.respond(id, reply(&asked, status), status, at(0));
        let row = format!("{method} {status} over {}", flow_ref.transport);
        assert_eq!(table.len(), usize::from(lingers > 0), "{row}");
        table.handle_deadline(at(lingers.max(1) - 1));
        assert_eq!(table.len(), usize::from(lingers > 0), "{row}");
        table.handle_deadline(at(lingers));
        assert!(table.is_empty(), "{row}");
    }
}

#[test]
fn a_user_that_never_answers_is_told_when_the_client_has_given_up() {
    for flow_ref in [UDP, TLS] {
        let mut table = table();
        accept(&mut table, &request("REGISTER", "z9hG4bKa"), flow_ref, at(0));
        assert_eq!(pass(&mut table, DAY), [(32_000, "unanswered".to_owned())]);
        assert!(table.is_empty());
    }
}

#[test]
fn a_late_wake_does_each_thing_once() {
    let mut table = table();
    table.request(&request("REGISTER", "z9hG4bKa"), UDP, 1, at(0)).unwrap();
    drain(&mut table);
    table.handle_deadline(at(20_000));
    assert_eq!(shorts(&mut table), ["REGISTER"], "no burst after a pause");
    table.handle_deadline(at(3_600_000));
    assert_eq!(shorts(&mut table), ["timed out"]);
}
