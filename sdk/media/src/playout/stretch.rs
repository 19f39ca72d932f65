//! A few samples more or fewer than were asked for, made to fit.

/// Fits samples to a length that differs a little, by cubic interpolation (Catmull-Rom), without a step between frames.
/// All it plays is two samples late.
pub(super) struct Stretcher {
    /// The last three samples of what was fitted before.
    last: [i16; BEFORE],
}

impl Stretcher {
    pub(super) fn new() -> Self {
        Self { last: [0; BEFORE] }
    }

    pub(super) fn fit(&mut self, from: &[i16], to: &mut [i16]) {
        let mut joined = [0; BEFORE + MAX_LENGTH];
        let parts = self.last.iter().chain(from);
        joined.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        let whole = joined.get(..BEFORE + from.len()).unwrap_or(&joined);
        if from.len() == to.len() {
            to.iter_mut().zip(whole.iter().skip(1)).for_each(|(to, from)| *to = *from);
        } else {
            let length = to.len().max(1);
            for (at, to) in to.iter_mut().enumerate() {
                let place = at * from.len();
                *to = between(whole.get(place / length..), place % length, length);
            }
        }
        if let Some(last) = whole.last_chunk() {
            self.last = *last;
        }
    }
}

/// The value between the second and the third of four samples.
fn between(samples: Option<&[i16]>, part: usize, of: usize) -> i16 {
    let Some([a, b, c, d]) = samples.and_then(|samples| samples.first_chunk::<4>()) else { return 0 };
    let [a, b, c, d] = [a, b, c, d].map(|sample| f32::from(*sample));
    let t = small(part) / small(of);
    let value = b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)));
    to_sample(value)
}

fn small(number: usize) -> f32 {
    u16::try_from(number).map_or(f32::MAX, f32::from)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range, rounded before")]
fn to_sample(value: f32) -> i16 {
    value.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}

const BEFORE: usize = 3;
const MAX_LENGTH: usize = 160 + MAX_CHANGE;
/// The most samples by which a frame is stretched.
pub(super) const MAX_CHANGE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(at: usize) -> i16 {
        ((at as f64 * std::f64::consts::TAU / 8.0).sin() * 10_000.0) as i16
    }

    #[test]
    fn a_stretched_tone_has_no_steps() {
        let mut stretcher = Stretcher::new();
        let mut taken = 0;
        let mut heard = Vec::new();
        for frame in 0..40 {
            let length = [160, 161, 160, 159, 164, 156][frame % 6];
            let from: Vec<i16> = (taken..taken + length).map(sine).collect();
            taken += length;
            let mut to = [0; 160];
            stretcher.fit(&from, &mut to);
            heard.extend(to);
        }
        // A pure tone obeys x(n+1) + x(n−1) = 2 cos(ω) x(n); a step breaks it.
        let step = heard[8..].windows(3).map(|three| {
            let [a, b, c] = [0, 1, 2].map(|at| f64::from(three[at]));
            (a + c - 2.0 * (std::f64::consts::TAU / 8.0).cos() * b).abs()
        });
        let worst = step.fold(0.0, f64::max);
        assert!(worst < 900.0, "{worst}");
    }

    #[test]
    fn what_fits_passes_unchanged_two_samples_late() {
        let mut stretcher = Stretcher::new();
        let (from, mut to): (Vec<i16>, [i16; 160]) = ((1..=160).collect(), [0; 160]);
        stretcher.fit(&from, &mut to);
        assert_eq!((to[0], to[1], to[2], to[159]), (0, 0, 1, 158));
        stretcher.fit(&from, &mut to);
        assert_eq!(to[..3], [159, 160, 1]);
    }
}
