//! What the system counts for a process: CPU time and resident memory.

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
        Self::of("self")
    }

    /// Of a process and those it started, now.
    pub(crate) fn of_family(parent: u32) -> std::io::Result<Self> {
        let mut sum = Self::of(&parent.to_string())?;
        for process in std::fs::read_dir("/proc")? {
            let name = process?.file_name();
            let Some(name) = name.to_str().filter(|name| name.parse::<u32>().is_ok()) else { continue };
            // One that ended meanwhile is no part of the family any more.
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{name}/stat")) else { continue };
            let behind = stat.rsplit(')').next().unwrap_or_default();
            if behind.split_whitespace().nth(1) == Some(&parent.to_string())
                && let Ok(child) = Self::of(name)
            {
                sum = Self { ticks: sum.ticks + child.ticks, kib: sum.kib + child.kib };
            }
        }
        Ok(sum)
    }

    fn of(process: &str) -> std::io::Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
        // Fields 14 and 15 (user and system ticks), counted behind the name in parentheses.
        let numbers: Vec<u64> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
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
