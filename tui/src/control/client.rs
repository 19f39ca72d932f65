//! The asking end of the control socket: which phones run, and what they answer.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::control::folder::sockets;
use crate::control::request::{Ask, Request};
use crate::text::ScreenText;

/// The phones that run.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Those that answered.
    pub(crate) phones: Vec<Phone>,
    /// Processes that listen and do not answer: stopped, or of another version.
    pub(crate) silent: Vec<u32>,
}

/// A phone that answered.
#[derive(Debug)]
pub(crate) struct Phone {
    pub(crate) process: u32,
    /// Its accounts, as it told them.
    pub(crate) accounts: Vec<Value>,
    path: PathBuf,
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    Done,
    /// The phone cannot tell it; why, as a sentence.
    Declined(ScreenText),
    /// The event of the error.
    Failed(Value),
    /// The phone ended, or was not there any more.
    Lost,
}

/// Asks all phones that listen there how their accounts stand.
pub(crate) async fn find(folder: &Path) -> Found {
    let asked = sockets(folder).into_iter().map(|(process, path)| async move {
        let mut phone = Phone { process, accounts: Vec::new(), path };
        let mut told = Vec::new();
        let asked = phone.ask(Ask::Status, false, |event| told.push(event));
        let end = tokio::time::timeout(PATIENCE, asked).await.ok();
        told.retain(|event| event["event"] == "account");
        phone.accounts = told;
        (phone, end)
    });
    let mut found = Found::default();
    for (phone, end) in join_all(asked).await {
        match end {
            Some(End::Done) => found.phones.push(phone),
            // It is gone, or was never there: the file is left over.
            Some(End::Lost) => {}
            Some(End::Declined(_) | End::Failed(_)) | None => found.silent.push(phone.process),
        }
    }
    found
}

impl Found {
    /// The phone that has this account; of several, one where it is signed in.
    pub(crate) fn with(&self, address: &str) -> Option<&Phone> {
        let having = || self.phones.iter().filter_map(|phone| Some((phone, phone.account(address)?)));
        let reachable = having().find(|(_, account)| account["reachable"] == true);
        reachable.or_else(|| having().next()).map(|(phone, _)| phone)
    }

    /// The same, alone.
    pub(crate) fn take(self, address: &str) -> Result<Phone, Self> {
        let Some(process) = self.with(address).map(|phone| phone.process) else { return Err(self) };
        let found = self.phones.into_iter().find(|phone| phone.process == process);
        Ok(found.expect("it was found there"))
    }
}

impl Phone {
    /// How this account stands there, if the phone has it.
    pub(crate) fn account(&self, address: &str) -> Option<&Value> {
        self.accounts.iter().find(|account| account["aor"] == address)
    }

    /// Asks; each event of the answer but the last is told.
    pub(crate) async fn ask(&self, ask: Ask, trace: bool, told: impl FnMut(Value)) -> End {
        self.exchange(&Request::new(ask, trace), told).await.unwrap_or(End::Lost)
    }

    async fn exchange(&self, request: &Request, mut told: impl FnMut(Value)) -> io::Result<End> {
        let mut stream = UnixStream::connect(&self.path).await?;
        stream.write_all(request.line().as_bytes()).await?;
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
            if !line.ends_with(b"\n") {
                return Ok(End::Lost);
            }
            let event: Value = serde_json::from_slice(&line)?;
            match event["event"].as_str() {
                Some("end") => return Ok(End::Done),
                Some("declined") => {
                    return Ok(End::Declined(ScreenText::of(event["why"].as_str().unwrap_or_default())));
                }
                Some("error") => return Ok(End::Failed(event)),
                _ => told(event),
            }
        }
    }
}

/// The sentences of an event, made harmless once more.
pub(crate) fn sentences(event: &mut Value) -> Vec<ScreenText> {
    let say = event.as_object_mut().and_then(|fields| fields.remove("say"));
    let lines = say.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    lines.iter().filter_map(Value::as_str).map(ScreenText::of).collect()
}

/// A phone that runs answers at once.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest line of an answer in bytes: a traced message of the largest size, escaped.
const LONGEST_LINE: u64 = 1 << 20;
