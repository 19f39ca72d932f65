//! What the system counts for this process: CPU time and resident memory.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// CPU ticks used and resident KiB, as Linux counts them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    ticks: u64,
    kib: u64,
}

impl Usage {
    /// Of this process, now.
    pub(crate) fn read() -> std::io::Result<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        // Fields 14 and 15 (user and system ticks), counted behind the name in parentheses.
        let numbers: Vec<u64> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        let status = std::fs::read_to_string("/proc/self/status")?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or_default();
        let ticks =
            numbers.get(11).copied().unwrap_or_default() + numbers.get(12).copied().unwrap_or_default();
        Ok(Self { ticks, kib })
    }

    /// Microseconds of CPU since `earlier`, per operation.
    pub(crate) fn cpu_since(&self, earlier: &Usage, operations: usize) -> f64 {
        (self.ticks - earlier.ticks) as f64 * MICROS_PER_TICK / operations as f64
    }

    /// Resident KiB gained since `earlier`, per thing.
    pub(crate) fn kib_since(&self, earlier: &Usage, things: usize) -> f64 {
        self.kib.saturating_sub(earlier.kib) as f64 / things as f64
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.ticks, self.kib)
    }
}

impl FromStr for Usage {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (ticks, kib) = text.split_once(' ').unwrap_or((text, "0"));
        Ok(Self { ticks: ticks.parse()?, kib: kib.parse()? })
    }
}

/// Linux counts CPU time in hundredths of a second towards user space (USER_HZ).
const MICROS_PER_TICK: f64 = 10_000.0;
