//! G.711 µ-law and A-law: 16 bit samples to octets and back (ITU-T G.711; sample layout of G.191).

/// The sample a µ-law octet stands for; 14 bits of value in the upper bits of 16.
pub(crate) fn from_ulaw(octet: u8) -> i16 {
    DECODE_ULAW[usize::from(octet)]
}

/// The sample an A-law octet stands for; 13 bits of value in the upper bits of 16.
pub(crate) fn from_alaw(octet: u8) -> i16 {
    DECODE_ALAW[usize::from(octet)]
}

/// The µ-law octet whose interval holds the sample. The reserved all-zero word (−0 at full scale) is a plain value.
pub(crate) fn to_ulaw(sample: i16) -> u8 {
    // G.711 counts 14 bit magnitudes; a negative sample is mirrored by its ones' complement, as G.191 does.
    let (sign, magnitude) = split(sample >> 2);
    let biased = (magnitude + ULAW_BIAS).min(ULAW_TOP);
    let segment = 26u32.saturating_sub(biased.leading_zeros());
    let step = (biased >> (segment + 1)) & 0x0f;
    !(sign | low_octet(segment << 4 | step))
}

/// The A-law octet whose interval holds the sample, with the even bits inverted as on the line.
pub(crate) fn to_alaw(sample: i16) -> u8 {
    let (sign, magnitude) = split(sample >> 4);
    // Twelve bits of magnitude: segment 0 and 1 share a step, each above doubles it.
    let exponent = 28u32.saturating_sub(magnitude.leading_zeros());
    let code = match exponent {
        0 => magnitude,
        _ => exponent << 4 | ((magnitude >> (exponent - 1)) & 0x0f),
    };
    (low_octet(code) | (sign ^ 0x80)) ^ 0x55
}

/// The sign bit and the magnitude.
fn split(value: i16) -> (u8, u32) {
    let magnitude = if value < 0 { !value } else { value };
    (if value < 0 { 0x80 } else { 0 }, u32::from(magnitude.unsigned_abs()))
}

#[expect(clippy::cast_possible_truncation, reason = "segment and step fill seven bits")]
fn low_octet(code: u32) -> u8 {
    code as u8 & 0x7f
}

const ULAW_BIAS: u32 = 33;
const ULAW_TOP: u32 = 0x1fff;

static DECODE_ULAW: [i16; 256] = ulaw_table();
static DECODE_ALAW: [i16; 256] = alaw_table();

const fn ulaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let code = !octet & 0x7f;
        let magnitude = ((((code & 0x0f) * 2 + 33) << (code >> 4)) - 33) * 4;
        table[octet] = signed(magnitude, octet < 0x80);
        octet += 1;
    }
    table
}

const fn alaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let code = (octet ^ 0x55) & 0x7f;
        let magnitude = match code >> 4 {
            0 => (code & 0x0f) * 16 + 8,
            segment => ((code & 0x0f) * 16 + 264) << (segment - 1),
        };
        table[octet] = signed(magnitude, octet < 0x80);
        octet += 1;
    }
    table
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "at most 32256")]
const fn signed(magnitude: usize, is_negative: bool) -> i16 {
    if is_negative { -(magnitude as i16) } else { magnitude as i16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_zero_are_those_of_the_tables() {
        let ulaw =
            [(0x00, -32124), (0x80, 32124), (0x7f, 0), (0xff, 0), (0x8f, 16764), (0xf0, 120), (0xef, 132)];
        for (octet, sample) in ulaw {
            assert_eq!(from_ulaw(octet), sample, "{octet:#x}");
        }
        let alaw = [(0x2a, -32256), (0xaa, 32256), (0xd5, 8), (0x55, -8), (0xda, 248), (0xc5, 264)];
        for (octet, sample) in alaw {
            assert_eq!(from_alaw(octet), sample, "{octet:#x}");
        }
    }

    #[test]
    fn every_octet_comes_back() {
        for octet in 0..=255u8 {
            // −0 has no sample of its own: it is heard, and written, as +0.
            let expected = if octet == 0x7f { 0xff } else { octet };
            assert_eq!(to_ulaw(from_ulaw(octet)), expected);
            assert_eq!(to_alaw(from_alaw(octet)), octet);
        }
    }

    #[test]
    fn louder_stays_louder_and_the_error_is_half_a_step() {
        for (encode, decode) in [(to_ulaw as fn(i16) -> u8, from_ulaw as fn(u8) -> i16), (to_alaw, from_alaw)]
        {
            let mut before = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let heard = decode(encode(sample));
                assert!(heard >= before, "{sample}");
                before = heard;
                // Sixteen steps in each segment, which doubles; the ends of the scale are cut off.
                let step = i32::from(sample).abs() / 16 + 32;
                let error = (i32::from(heard) - i32::from(sample)).abs();
                assert!(error <= step / 2 + 16 || sample.unsigned_abs() > 32_000, "{sample}: {heard}");
            }
        }
    }

    /// The whole of both functions as two sums, computed from the reference code of ITU-T G.191.
    #[test]
    fn all_codes_are_those_of_the_reference() {
        let sum = |encode: fn(i16) -> u8| {
            (i16::MIN..=i16::MAX).fold(0xcbf2_9ce4_8422_2325u64, |sum, s| {
                (sum ^ u64::from(encode(s))).wrapping_mul(0x100_0000_01b3)
            })
        };
        assert_eq!((sum(to_ulaw), sum(to_alaw)), (ULAW_SUM, ALAW_SUM));
    }

    const ULAW_SUM: u64 = 0x04ec_1f08_3fd7_8c2d;
    const ALAW_SUM: u64 = 0xf030_666e_b780_cf25;
}
