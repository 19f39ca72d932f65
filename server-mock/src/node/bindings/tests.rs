//! The rules of RFC 3261 10.3 on bindings.

use super::*;

fn at(seconds: u64) -> Now {
    Now::new(Duration::from_secs(seconds), Duration::ZERO)
}

struct Fixture {
    bindings: Bindings,
    endpoint: Endpoint,
}

impl Fixture {
    fn new() -> Self {
        let config = RegistrarConfig { endpoints: 3, ..RegistrarConfig::default() };
        let endpoint = Endpoint { user: "a@b.c".into(), device: String::new() };
        Self { bindings: Bindings::new(config), endpoint }
    }

    fn device(device: &str) -> Endpoint {
        Endpoint { user: "a@b.c".into(), device: device.into() }
    }

    fn ask(&mut self, flow: u64, cseq: u32, more: &str) -> Result<RegisterOutcome, (u16, &'static str)> {
        self.ask_as((flow, "call"), cseq, more)
    }

    fn ask_as(
        &mut self,
        (flow, call): (u64, &str),
        cseq: u32,
        more: &str,
    ) -> Result<RegisterOutcome, (u16, &'static str)> {
        let text = format!(
            "REGISTER sip:b.c SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKx\r\nFrom: <sip:a@b.c>;tag=1\r\nTo: <sip:a@b.c>\r\n\
             Call-ID: {call}\r\nCSeq: {cseq} REGISTER\r\n{more}Content-Length: 0\r\n\r\n"
        );
        let request = Message::parse(text).unwrap();
        let registrant = Registrant { endpoint: &self.endpoint, flow: FlowId(flow), trusted: false };
        self.bindings.register(&request, &registrant, at(0))
    }

    fn contacts(&self) -> Vec<String> {
        self.bindings.of("a@b.c").iter().map(|binding| binding.contact.clone()).collect()
    }
}

#[test]
fn a_binding_is_added_refreshed_fixed_and_removed() {
    let mut fixture = Fixture::new();
    let contact = "Contact: <sip:a@h:1>\r\n";
    let did = |done: Result<RegisterOutcome, _>| done.map(|done| (done.granted, done.action));
    assert_eq!(did(fixture.ask(1, 1, contact)), Ok((7200, "added")));
    assert_eq!(did(fixture.ask(1, 2, contact)), Ok((7200, "refreshed")));
    assert_eq!(did(fixture.ask(2, 3, contact)), Ok((7200, "fixed")), "by another connection");
    assert_eq!(did(fixture.ask(2, 4, "Contact: <sip:a@h:1>;expires=0\r\n")), Ok((0, "refreshed")));
    assert!(fixture.contacts().is_empty());
    assert_eq!(fixture.bindings.deadline(), None);
}

#[test]
fn a_late_register_changes_nothing_and_a_new_call_id_may_count_anew() {
    let mut fixture = Fixture::new();
    let contact = "Contact: <sip:a@h:1>\r\n";
    fixture.ask(1, 5, contact).unwrap();
    for late in [4, 5] {
        assert_eq!(
            fixture.ask(1, late, "Contact: <sip:a@h:1>;expires=0\r\n"),
            Err((400, "CSeq out of order"))
        );
    }
    assert_eq!(fixture.contacts().len(), 1);
    assert!(fixture.ask_as((1, "other"), 1, contact).is_ok());
}

#[test]
fn expires_comes_from_the_contact_then_the_header_then_the_default_within_bounds() {
    let mut fixture = Fixture::new();
    for (cseq, more, granted) in [
        (1, "Contact: <sip:a@h>;expires=100\r\nExpires: 200\r\n", Ok(100)),
        (2, "Contact: <sip:a@h>\r\nExpires: 200\r\n", Ok(200)),
        (3, "Contact: <sip:a@h>\r\n", Ok(7200)),
        (4, "Contact: <sip:a@h>;expires=59\r\n", Err((423, "Interval Too Brief"))),
        (5, "Contact: <sip:a@h>;expires=4294967295\r\n", Ok(86_400)),
        (6, "Contact: <sip:a@h>;expires=nonsense\r\n", Ok(7200)),
    ] {
        assert_eq!(fixture.ask(1, cseq, more).map(|done| done.granted), granted, "{more}");
    }
}

#[test]
fn a_star_stands_alone_and_with_expires_zero() {
    let mut fixture = Fixture::new();
    fixture.ask(1, 1, "Contact: <sip:a@h:1>, <sip:a@h:2>\r\n").unwrap();
    for (cseq, more) in [
        (2, "Contact: *\r\n"),
        (3, "Contact: *\r\nExpires: 9\r\n"),
        (4, "Contact: *, <sip:a@h:1>\r\nExpires: 0\r\n"),
    ] {
        assert_eq!(fixture.ask(1, cseq, more).map_err(|(status, _)| status), Err(400), "{more}");
    }
    assert_eq!(fixture.contacts().len(), 2);
    fixture.ask(1, 5, "Contact: *\r\nExpires: 0\r\n").unwrap();
    assert!(fixture.contacts().is_empty());
}

#[test]
fn contacts_are_compared_as_uris_without_a_device_and_by_device_with_one() {
    let mut fixture = Fixture::new();
    fixture.ask(1, 1, "Contact: <sip:a@H.example;transport=tcp>\r\n").unwrap();
    fixture.ask(1, 2, "Contact: <sip:%61@h.EXAMPLE;transport=TCP>\r\n").unwrap();
    assert_eq!(fixture.contacts().len(), 1, "equivalent URIs are one binding");
    fixture.endpoint = Fixture::device("e1");
    fixture.ask(1, 3, "Contact: <sip:a@h:1>\r\n").unwrap();
    fixture.ask(1, 4, "Contact: <sip:a@h:2>\r\n").unwrap();
    assert_eq!(fixture.contacts(), ["sip:%61@h.EXAMPLE;transport=TCP", "sip:a@h:2"]);
}

#[test]
fn one_endpoint_too_many_pushes_out_the_oldest() {
    let mut fixture = Fixture::new();
    for (number, device) in ["e1", "e2", "e3", "e4"].into_iter().enumerate() {
        fixture.endpoint = Fixture::device(device);
        let done = fixture.ask(1, 1, &format!("Contact: <sip:a@h:{number}>\r\n")).unwrap();
        let out: Vec<String> = done.pushed_out.iter().map(|gone| gone.endpoint.device.clone()).collect();
        assert_eq!(out, if device == "e4" { vec!["e1"] } else { vec![] });
    }
}

#[test]
fn bindings_go_with_their_flow_or_their_time() {
    let mut fixture = Fixture::new();
    fixture.ask(1, 1, "Contact: <sip:a@h:1>;expires=60\r\n").unwrap();
    fixture.ask(2, 1, "Contact: <sip:a@h:2>;expires=90\r\n").unwrap();
    fixture.ask(3, 1, "Contact: <sip:a@h:3>;expires=90\r\n").unwrap();
    assert_eq!(fixture.bindings.flow_gone(FlowId(2)).len(), 1);
    assert_eq!(fixture.bindings.handle_deadline(at(59)).len(), 0);
    assert_eq!(fixture.bindings.handle_deadline(at(60)).len(), 1);
    assert_eq!(fixture.contacts(), ["sip:a@h:3"]);
    assert_eq!(fixture.bindings.deadline().map(|deadline| deadline.at), Some(at(90).since_start));
}

#[test]
fn the_one_binding_of_a_user_has_no_room_for_others_beside_it() {
    let mut fixture = Fixture::new();
    fixture.ask(1, 1, "Contact: <sip:a@h:1>\r\n").unwrap();
    assert_eq!(fixture.bindings.users["a@b.c"].capacity(), 1);
}
