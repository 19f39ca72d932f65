//! STUN keep-alives on UDP: a Binding request is answered with the address it came from (RFC 5626 4.4.2).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

/// The answer to a Binding request; none to anything else.
pub(super) fn answer(request: &[u8], from: SocketAddr) -> Option<Bytes> {
    let header = request.get(..HEADER)?;
    if header[..2] != BINDING_REQUEST || header[4..8] != COOKIE {
        return None;
    }
    let port = from.port() ^ u16::from_be_bytes([COOKIE[0], COOKIE[1]]);
    let mut value = vec![0, if from.is_ipv4() { 1 } else { 2 }];
    value.extend(port.to_be_bytes());
    // The address is masked with the cookie and the transaction id, which stand side by side.
    let mask = &header[4..HEADER];
    match from.ip() {
        IpAddr::V4(ip) => value.extend(ip.octets().iter().zip(mask).map(|(octet, mask)| octet ^ mask)),
        IpAddr::V6(ip) => value.extend(ip.octets().iter().zip(mask).map(|(octet, mask)| octet ^ mask)),
    }
    let length = u16::try_from(value.len()).unwrap_or_default();
    let mut out = Vec::with_capacity(HEADER + 4 + value.len());
    out.extend(BINDING_SUCCESS);
    out.extend((length + 4).to_be_bytes());
    out.extend(mask);
    out.extend(XOR_MAPPED_ADDRESS);
    out.extend(length.to_be_bytes());
    out.extend(value);
    Some(out.into())
}

const HEADER: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_rfc_5769_is_masked_as_there() {
        // Transaction id and addresses of RFC 5769 sections 2.2 and 2.3.
        let id = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
        let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
        request.extend(id);
        let v4 = answer(&request, "192.0.2.1:32853".parse().unwrap()).unwrap();
        assert_eq!(v4[20..], [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        let v6 = answer(&request, "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap()).unwrap();
        assert_eq!(v6[20..28], [0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47]);
        assert_eq!(v6[28..36], [0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79]);
        assert!(answer(&request[..19], "192.0.2.1:1".parse().unwrap()).is_none());
        assert!(answer(b"OPTIONS sip:a@b SIP/2.0", "192.0.2.1:1".parse().unwrap()).is_none());
    }
}
