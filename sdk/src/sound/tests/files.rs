//! Sound files of every kind, read to their end.

use std::fs;

use homing_media::FRAME;

use super::{Measured, Path, drain, sine, spec, write_wav};
use crate::sound::error::SoundError;
use crate::sound::feed::Feed;
use crate::sound::file::WavReader;
use crate::sound::source::{Repeat, Source};
use crate::sound::workers::Workers;

fn played(path: &Path, repeat: Repeat) -> (Vec<i16>, Result<(), SoundError>) {
    let source = Source::File { path: path.0.clone(), repeat };
    drain(&mut Feed::open(source, &Workers::new(64)).unwrap())
}

/// The head of a WAV file of one octet a sample.
fn law_file(tag: u16, octets: &[u8], length: u32) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x12\0\0\0".to_vec();
    file.extend(tag.to_le_bytes());
    file.extend([1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0, 0, 0]);
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(octets);
    file
}

#[test]
fn every_width_and_rate_of_pcm_and_float_is_played_at_its_pitch_and_level() {
    let forms = [(8_000, 8, false), (8_000, 16, false), (11_025, 16, false), (16_000, 24, false)];
    let more = [
        (22_050, 32, false),
        (44_100, 16, false),
        (48_000, 24, false),
        (48_000, 32, true),
        (96_000, 16, false),
    ];
    for (rate, bits, float) in forms.into_iter().chain(more) {
        let samples = sine(1_000.0, rate, 1.5);
        let path = write_wav(&format!("form-{rate}-{bits}-{float}"), spec(1, rate, bits, float), &[&samples]);
        let (samples, how) = played(&path, Repeat::Times(1));
        assert_eq!(how, Ok(()));
        let whole = samples.len() as f64 / 12_000.0;
        assert!((1.0..1.04).contains(&whole), "{rate} {bits}: {} samples", samples.len());
        Measured::of(&samples).assert_is(1_000.0, -6.02);
        Measured::of(&played(&high(rate), Repeat::Times(1)).0).assert_is(3_000.0, -6.02);
    }
}

/// Where the filter begins to bite at a telephone's upper end.
fn high(rate: u32) -> Path {
    write_wav(&format!("high-{rate}"), spec(1, rate, 16, false), &[&sine(3_000.0, rate, 0.5)])
}

#[test]
fn what_a_call_cannot_carry_is_filtered_and_not_folded_back() {
    let path = write_wav("alias", spec(1, 48_000, 16, false), &[&sine(7_000.0, 48_000, 1.0)]);
    let (samples, _) = played(&path, Repeat::Times(1));
    let loudest = samples[400..].iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!(loudest < 40, "{loudest}");
}

#[test]
fn channels_are_mixed_to_one() {
    let (one, other) = (sine(1_000.0, 8_000, 1.0), vec![0.0; 8_000]);
    let path = write_wav("mix", spec(2, 8_000, 16, false), &[&one, &other]);
    Measured::of(&played(&path, Repeat::Times(1)).0).assert_is(1_000.0, -12.04);
}

#[test]
fn a_law_and_mu_law_are_read_up_to_where_the_file_says_or_ends() {
    // Full-scale and idle codes of G.711, a sample each; the odd chunk before them is passed over.
    for (tag, octets, samples) in
        [(6, [0xaa, 0x2a, 0xd5], [32_256, -32_256, 8]), (7, [0x80, 0x00, 0xff], [32_124, -32_124, 0])]
    {
        for length in [3, u32::MAX, 90] {
            let path = Path::holding(&format!("law-{tag}-{length}"), &law_file(tag, &octets, length));
            let (played, how) = played(&path, Repeat::Times(1));
            assert_eq!((how, &played[..3], played.len()), (Ok(()), &samples[..], FRAME));
        }
        let path = Path::holding(&format!("law-{tag}-short"), &law_file(tag, &octets, 1));
        assert_eq!(played(&path, Repeat::Times(1)).0[..2], [samples[0], 0]);
    }
}

#[test]
fn a_file_is_repeated_without_a_gap() {
    let quarter: Vec<f32> = sine(1_000.0, 8_000, 0.25);
    let path = write_wav("repeat", spec(1, 8_000, 16, false), &[&quarter]);
    let (samples, how) = played(&path, Repeat::Times(4));
    assert_eq!(how, Ok(()));
    assert_eq!(samples.len(), 8_000 + FRAME);
    Measured::of(&samples[..8_000]).assert_is(1_000.0, -6.02);
    assert_eq!(played(&path, Repeat::Times(0)).0.len(), FRAME);
    let empty = write_wav("empty", spec(1, 8_000, 16, false), &[&[]]);
    assert_eq!(played(&empty, Repeat::Forever), (Vec::new(), Ok(())));
}

#[test]
fn a_file_that_a_crash_cut_off_is_played_up_to_there() {
    let whole = write_wav("cut", spec(1, 8_000, 16, false), &[&sine(1_000.0, 8_000, 1.0)]);
    let octets = fs::read(&whole.0).unwrap();
    let cut = Path::holding("cut-off", &octets[..octets.len() - 8_001]);
    let (samples, how) = played(&cut, Repeat::Times(1));
    assert_eq!((how, samples.len() / FRAME), (Ok(()), 4_000 / FRAME));
}

#[test]
fn what_is_no_sound_file_is_refused_with_a_code() {
    let code = |name: &str, octets: &[u8]| {
        let path = Path::holding(name, octets);
        played(&path, Repeat::Times(1)).1.unwrap_err().code()
    };
    let missing = Path::new("missing");
    let error = played(&missing, Repeat::Times(1)).1.unwrap_err();
    assert_eq!((error.code(), error.hint().is_empty()), ("E1611", false));
    assert!(error.to_string().contains("homing-sound") && error.to_string().contains("not found"), "{error}");
    assert_eq!(code("text", b"This is no sound at all."), "E1612");
    assert_eq!(code("nothing", b""), "E1612");
    assert_eq!(code("head", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0"), "E1612");
    assert_eq!(code("adpcm", &law_file(0x11, &[0; 8], 8)), "E1613");
    assert_eq!(
        code("rate", &{
            let mut file = law_file(7, &[0; 8], 8);
            let at = file.windows(4).position(|four| four == [0x40, 0x1f, 0, 0]).unwrap();
            file[at..at + 4].copy_from_slice(&[1, 0, 0, 0]);
            file
        }),
        "E1622"
    );
}

#[test]
fn no_cut_or_changed_head_does_more_than_fail() {
    let whole = write_wav(
        "fuzz",
        spec(2, 44_100, 24, false),
        &[&sine(1_000.0, 44_100, 0.01), &sine(1_000.0, 44_100, 0.01)],
    );
    let linear = fs::read(&whole.0).unwrap();
    for octets in [linear, law_file(6, &[7; 40], 40)] {
        for at in 0..octets.len().min(80) {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = octets.clone();
                changed[at] = value;
                let path = Path::holding("fuzzed", &changed);
                // A rate that takes minutes to play is not read to its end.
                if let Ok(mut file) = WavReader::open(&path.0) {
                    (0..2_000).for_each(|_| drop(file.next()));
                    drop(file.rewind());
                }
            }
            let path = Path::holding("fuzzed", &octets[..at]);
            drop(WavReader::open(&path.0).map(|mut file| file.next()));
        }
    }
}
