//! What the system counts for a process: CPU time and resident memory.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// Nanoseconds of CPU used and resident KiB, as Linux counts them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    nanos: u64,
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
                sum = Self { nanos: sum.nanos + child.nanos, kib: sum.kib + child.kib };
            }
        }
        Ok(sum)
    }

    fn of(process: &str) -> std::io::Result<Self> {
        // The first number of each thread is the time it ran; a thread that ended takes its time along, and none does
        // while something is measured.
        let mut nanos = 0;
        for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
            let schedule = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            nanos += schedule.split(' ').next().and_then(|ran| ran.parse::<u64>().ok()).unwrap_or_default();
        }
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or_default();
        Ok(Self { nanos, kib })
    }

    /// Microseconds of CPU since `earlier`, per operation.
    pub(crate) fn cpu_since(&self, earlier: &Usage, operations: usize) -> f64 {
        self.nanos.saturating_sub(earlier.nanos) as f64 / 1_000.0 / operations as f64
    }

    /// Resident KiB gained since `earlier`, per thing.
    pub(crate) fn kib_since(&self, earlier: &Usage, things: usize) -> f64 {
        self.kib.saturating_sub(earlier.kib) as f64 / things as f64
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.nanos, self.kib)
    }
}

impl FromStr for Usage {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (nanos, kib) = text.split_once(' ').unwrap_or((text, "0"));
        Ok(Self { nanos: nanos.parse()?, kib: kib.parse()? })
    }
}
