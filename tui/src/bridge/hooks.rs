//! Programs of the person's own that are run when a call comes in, is answered or ends.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use homing::AccountId;
use homing::call::CallEvent;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use crate::config::Config;
use crate::messages::{Notification, Severity};
use crate::msg::{CallMsg, Msg};
use crate::text::{ScreenText, screen_text};

/// Knows which call an event is about, and runs what the configuration names for it.
pub(super) struct Hooks {
    calls: BTreeMap<u64, Value>,
    told: UnboundedSender<Msg>,
}

impl Hooks {
    pub(super) fn new(told: UnboundedSender<Msg>) -> Self {
        Self { calls: BTreeMap::new(), told }
    }

    /// Runs the hook of what happened, if there is one: the program gets one line of JSON on its standard input.
    pub(super) fn handle(&mut self, msg: &CallMsg, account: impl Fn(AccountId) -> String, config: &Config) {
        let Some((setting, line)) = self.line(msg, account) else { return };
        let text = config.text(setting);
        let mut words = text.split_whitespace().map(str::to_owned);
        let Some(program) = words.next() else { return };
        let (arguments, told): (Vec<String>, _) = (words.collect(), self.told.clone());
        tokio::spawn(async move {
            if let Err(why) = run(&program, &arguments, &line).await {
                let text = screen_text!("{setting}: {program} {why}");
                // The phone may have ended.
                let _ = told.send(Msg::Notify(Notification::plain(Severity::Warning, text)));
            }
        });
    }

    /// The setting that names the program, and what it is told.
    fn line(
        &mut self,
        msg: &CallMsg,
        account: impl Fn(AccountId) -> String,
    ) -> Option<(&'static str, Value)> {
        let told = |call: &Value, event: &str, more: Value| {
            let mut line = json!({ "v": 1, "event": event });
            for fields in [call, &more] {
                if let (Some(line), Some(fields)) = (line.as_object_mut(), fields.as_object()) {
                    line.extend(fields.clone());
                }
            }
            line
        };
        match msg {
            CallMsg::Began(began) => {
                let call = json!({
                    "call": began.key,
                    "account": account(began.account),
                    "party": began.party.as_str(),
                    "name": began.name.as_str(),
                    "incoming": began.incoming,
                });
                self.calls.insert(began.key, call.clone());
                began.incoming.then(|| ("hooks.on_incoming", told(&call, "incoming", Value::Null)))
            }
            CallMsg::Happened { key, what: CallEvent::Answered { .. } } => {
                Some(("hooks.on_answer", told(self.calls.get(key)?, "answered", Value::Null)))
            }
            CallMsg::Happened { key, what: CallEvent::Ended(end) } => {
                let call = self.calls.remove(key)?;
                let sentence = ScreenText::of(&end.why.sentence());
                let more = json!({ "code": end.why.code(), "why": sentence.as_str(), "status": end.status });
                Some(("hooks.on_end", told(&call, "ended", more)))
            }
            CallMsg::NotPlaced { key, .. } => {
                self.calls.remove(key);
                None
            }
            CallMsg::Happened { .. }
            | CallMsg::Measured { .. }
            | CallMsg::Sounded { .. }
            | CallMsg::Disturb { .. } => None,
        }
    }
}

/// Runs a program without a shell; one that takes too long is ended.
async fn run(program: &str, arguments: &[String], line: &Value) -> Result<(), String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|why| format!("cannot be run ({why})"))?;
    let work = async {
        if let Some(mut input) = child.stdin.take() {
            // A program may leave it unread.
            let _ = input.write_all(format!("{line}\n").as_bytes()).await;
        }
        child.wait().await
    };
    match timeout(PATIENCE, work).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("failed ({status})")),
        Ok(Err(why)) => Err(format!("failed ({why})")),
        Err(_) => Err(format!("took longer than {} s and was ended", PATIENCE.as_secs())),
    }
}

/// How long a hook may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use homing::call::{CallEnd, EndReason, EndedBy};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::screen::phone::Began;

    #[test]
    fn what_a_hook_is_told_says_which_call_it_is_and_how_it_ended() {
        let mut hooks = Hooks::new(unbounded_channel().0);
        let (party, name) = (ScreenText::of("sip:bob@network.com"), ScreenText::of("Bob"));
        let account = |_| "alice@network.com".to_owned();
        let began = |incoming| Began {
            key: 7,
            account: AccountId(1),
            party: party.clone(),
            name: name.clone(),
            vouched: true,
            incoming,
        };
        assert!(
            hooks.line(&CallMsg::Began(began(false)), account).is_none(),
            "nobody is told of one's own call"
        );
        let (setting, line) = hooks.line(&CallMsg::Began(began(true)), account).unwrap();
        assert_eq!(setting, "hooks.on_incoming");
        assert_eq!(
            line,
            json!({ "v": 1, "event": "incoming", "call": 7, "account": "alice@network.com",
                "party": "sip:bob@network.com", "name": "Bob", "incoming": true })
        );
        let end =
            CallEnd { by: EndedBy::Peer, why: EndReason::Busy, status: Some(486), words: String::new() };
        let ended = CallMsg::Happened { key: 7, what: CallEvent::Ended(Box::new(end)) };
        let (setting, line) = hooks.line(&ended, account).unwrap();
        assert_eq!((setting, &line["code"], &line["status"]), ("hooks.on_end", &json!("E1201"), &json!(486)));
        assert!(hooks.line(&ended, account).is_none() && hooks.calls.is_empty());
    }

    #[tokio::test]
    async fn a_hook_gets_its_line_and_what_goes_wrong_with_it_is_said() {
        let line = json!({ "v": 1 });
        let words = |text: &str| vec!["-c".to_owned(), text.to_owned()];
        assert_eq!(run("sh", &words("read line; test \"$line\" = '{\"v\":1}'"), &line).await, Ok(()));
        assert!(run("sh", &words("exit 3"), &line).await.unwrap_err().contains("exit status: 3"));
        assert!(run("/nonexistent/program", &[], &line).await.unwrap_err().contains("cannot be run"));
    }
}
