//! What parts are made of a body.

use super::*;

fn parse<'m>(kind: &'m str, body: &'m str) -> Result<Multipart<'m>, MultipartError> {
    Multipart::parse(&ContentType::read(kind.as_bytes()).unwrap().0, body.as_bytes())
}

fn mixed(body: &str) -> Result<Multipart<'_>, MultipartError> {
    parse("multipart/mixed;boundary=b", body)
}

fn bodies<'m>(multipart: &Multipart<'m>) -> Vec<&'m str> {
    multipart.parts.iter().map(|part| str::from_utf8(part.body).unwrap()).collect()
}

#[test]
fn what_stands_around_the_parts_says_nothing() {
    let body = "preamble\r\n--b  \r\n\r\none\r\n--bb\r\n x--b\r\n--b\r\nA: 1\r\n\r\n\r\n--b\r\n--b--\r\nepilogue\r\n--b\r\n";
    let multipart = mixed(body).unwrap();
    assert_eq!(bodies(&multipart), ["one\r\n--bb\r\n x--b", "", ""]);
    assert_eq!(multipart.parts[1].header("a"), Some(&b"1"[..]));
    assert!(multipart.parts[0].is("text/plain") && !multipart.parts[0].is("application/sdp"));
    assert_eq!(bodies(&mixed("--b\n\none\n--b--").unwrap()), ["one"]);
}

#[test]
fn header_lines_may_be_folded_and_stand_alone() {
    let multipart = mixed("--b\r\nContent-Type : application/sdp\r\n ;charset=x\r\nContent-Disposition: session;\r\n\thandling=optional\r\n--b--").unwrap();
    let part = &multipart.parts[0];
    assert!(part.is("application/sdp") && part.disposition().unwrap().is_optional());
    assert_eq!((part.content_type().unwrap().param("charset"), part.body), (Some("x"), &b""[..]));
}

#[test]
fn of_alternatives_the_last_is_found_and_else_the_first() {
    let sdp = |body: &str| format!("--i\r\nContent-Type: application/sdp\r\n\r\n{body}\r\n");
    let body = format!(
        "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: multipart/alternative;boundary=\"i\"\r\n\r\n\
         {}{}--i\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\nzz\r\n--i--\r\n--b--",
        sdp("v=1"),
        sdp("v=2"),
    );
    let multipart = mixed(&body).unwrap();
    assert_eq!(multipart.find("application/sdp").unwrap().body, b"v=2");
    let inner = multipart.parts[1].inner.as_ref().unwrap();
    assert!(inner.alternative && !multipart.alternative && inner.parts.len() == 3);
    let flat = Multipart { alternative: false, ..inner.clone() };
    assert_eq!(flat.find("Application/SDP").unwrap().body, b"v=1");
    assert_eq!(multipart.find("application/pidf+xml"), None);
}

#[test]
fn what_cannot_be_read_is_refused() {
    for (kind, body, error) in [
        ("multipart/mixed", "--b\r\n\r\n--b--", MultipartError::Boundary),
        ("multipart/mixed;boundary=\"\"", "----", MultipartError::Boundary),
        ("multipart/mixed;boundary=\"b \"", "--b \r\n--b --", MultipartError::Boundary),
        ("multipart/mixed;boundary=b", "", MultipartError::Open),
        ("multipart/mixed;boundary=b", "--b--", MultipartError::Open),
        ("multipart/mixed;boundary=b", "--b\r\n\r\none\r\n", MultipartError::Open),
        ("multipart/mixed;boundary=b", "--b\r\n\r\none--b--", MultipartError::Open),
        ("multipart/mixed;boundary=b", "--b\r\nno header\r\n\r\n--b--", MultipartError::Head),
        (
            "multipart/mixed;boundary=b",
            "--b\r\nContent-Type: multipart/mixed\r\n\r\n--b--",
            MultipartError::Boundary,
        ),
    ] {
        assert_eq!(parse(kind, body), Err(error), "{kind} {body:?}");
    }
    let long = format!("multipart/mixed;boundary={}", "x".repeat(71));
    assert_eq!(parse(&long, ""), Err(MultipartError::Boundary));
}

#[test]
fn sixteen_parts_and_three_levels_are_read_and_no_more() {
    let many = |count: usize| format!("{}--b--", "--b\r\n\r\nx\r\n".repeat(count));
    assert_eq!(mixed(&many(16)).unwrap().parts.len(), 16);
    assert_eq!(mixed(&many(17)), Err(MultipartError::TooMany));
    let deep = |levels: usize| {
        (1..levels).fold("--b1\r\n\r\nx\r\n--b1--".to_owned(), |inner, level| {
            let outer = level + 1;
            format!(
                "--b{outer}\r\nContent-Type: multipart/mixed;boundary=b{level}\r\n\r\n{inner}\r\n--b{outer}--"
            )
        })
    };
    assert!(parse("multipart/mixed;boundary=b3", &deep(3)).is_ok());
    assert_eq!(parse("multipart/mixed;boundary=b4", &deep(4)), Err(MultipartError::TooMany));
    // Parts are counted over all levels.
    let inner = "--i\r\n\r\nx\r\n".repeat(8) + "--i--";
    let both = format!("--b\r\nContent-Type: multipart/mixed;boundary=i\r\n\r\n{inner}\r\n").repeat(2);
    assert_eq!(mixed(&(both + "--b--")), Err(MultipartError::TooMany));
}
