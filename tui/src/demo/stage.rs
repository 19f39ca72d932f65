//! The stage: keys become deeds of the estate, the estate's journal becomes news for the phone.

use std::time::Duration;

use homing_server_mock::estate::{NodeHandle, Role};
use homing_server_mock::journal::{Entry, Verdict};
use homing_server_mock::mischief::Mischief;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::demo::{DISTRIBUTOR, Demo, USER};
use crate::msg::Msg;
use crate::screen::stage::{self, Act};
use crate::text::{ScreenText, screen_text};

/// Starts the stage; keys go into what comes back, until the phone ends.
pub(super) fn start(demo: Demo, told: UnboundedSender<Msg>) -> UnboundedSender<char> {
    let (keys, mut pressed) = unbounded_channel();
    tokio::spawn(async move {
        let mut stage = Stage { demo, told, stopped: Vec::new(), asked_first: DISTRIBUTOR.to_owned() };
        stage.tell(stage::Msg::Raised(ACTS.to_vec()));
        let mut journal = stage.demo.estate.journal().subscribe();
        loop {
            stage.show_servers();
            tokio::select! {
                key = pressed.recv() => match key {
                    Some(key) => stage.act(key).await,
                    None => break,
                },
                entries = journal.next() => match entries {
                    Some(entries) => entries.iter().for_each(|entry| stage.note(entry)),
                    None => break,
                },
            }
        }
    });
    keys
}

/// What the stage's task owns.
struct Stage {
    demo: Demo,
    told: UnboundedSender<Msg>,
    stopped: Vec<String>,
    /// Where the phone asks first: the home server it remembers, the distributor before it knows one.
    asked_first: String,
}

impl Stage {
    async fn act(&mut self, key: char) {
        match key {
            'm' => self.move_user().await,
            's' => match self.stopped_home().or_else(|| self.demo.current_home()) {
                Some(home) => self.toggle(&home),
                None => self.say("nobody is registered now; there is no home server to stop"),
            },
            'd' => self.toggle(DISTRIBUTOR),
            'c' => self.calm(),
            _ => {
                if let Some((_, mischief, text)) = TRICKS.iter().find(|(trick, _, _)| *trick == key) {
                    self.trick(mischief.clone(), text).await;
                }
            }
        }
    }

    /// Assigns the user elsewhere; the phone learns of it at its next refresh.
    async fn move_user(&mut self) {
        let home = self.demo.current_home().unwrap_or_default();
        let other = Demo::other_home(&home);
        match self.demo.estate.move_user(USER, other, "a key was pressed").await {
            Ok(_) => self
                .tell_text(screen_text!("{USER} is assigned to {other} now; R refreshes and meets the 301")),
            Err(error) => self.tell_text(ScreenText::from_display(&error)),
        }
    }

    /// Signs out, sets a trap where the phone will ask first, signs in: what the phone says about it is the point.
    async fn trick(&mut self, mischief: Mischief, text: &'static str) {
        self.say(text);
        // The phone remembers its home server, also while it is signed out: that is where it must be lured.
        if let Some(home) = self.demo.current_home() {
            self.asked_first = home;
        }
        // An account that is not signed in need not be signed out.
        let _ = tokio::time::timeout(PATIENCE, self.demo.account.unregister()).await;
        self.demo.estate.nodes().for_each(NodeHandle::behave);
        self.demo.estate.node(&self.asked_first).mischief(mischief);
        let account = self.demo.account.clone();
        tokio::spawn(async move {
            // The events tell the outcome.
            let _ = account.register().await;
        });
    }

    fn toggle(&mut self, name: &str) {
        let Some(node) = self.demo.estate.find_node(name) else { return };
        if let Some(at) = self.stopped.iter().position(|stopped| stopped == name) {
            match node.restart() {
                Ok(()) => {
                    self.stopped.remove(at);
                    self.tell_text(screen_text!("{name} runs again, with nothing remembered"));
                }
                Err(error) => self.tell_text(ScreenText::from_display(&error)),
            }
        } else {
            node.stop();
            self.stopped.push(name.to_owned());
            self.tell_text(screen_text!(
                "{name} is stopped: its connections break, its registrations are lost"
            ));
        }
    }

    /// Everything runs and nobody lies.
    fn calm(&mut self) {
        for node in self.demo.estate.nodes() {
            // One that cannot start stays down and is shown so.
            if node.restart().is_ok() {
                self.stopped.retain(|stopped| stopped != node.name());
            }
            node.behave();
        }
        self.say("every server runs, and none of them plays tricks");
    }

    fn stopped_home(&self) -> Option<String> {
        self.stopped.iter().find(|name| *name != DISTRIBUTOR).cloned()
    }

    /// What the estate decided goes into the log, each with its reason.
    fn note(&self, entry: &Entry) {
        let Some(decision) = entry.decision() else { return };
        let word = match decision.verdict {
            Verdict::Redirected => "redirected",
            Verdict::Registered => "registered",
            Verdict::Unregistered => "unregistered",
            Verdict::LogonRefused => "refused the logon of",
            Verdict::Refused => "refused",
            Verdict::Proxied => "proxied",
            Verdict::Mischief => {
                let text = screen_text!("[{}] plays a trick: {}", entry.node, decision.reason);
                return self.tell(stage::Msg::Noted(text));
            }
            Verdict::Challenged
            | Verdict::Authenticated
            | Verdict::Accepted
            | Verdict::Discarded
            | Verdict::Repeated
            | Verdict::Notified
            | Verdict::Flow
            | Verdict::Estate => return,
        };
        let target =
            if decision.target.is_empty() { String::new() } else { format!(" → {}", decision.target) };
        let text = screen_text!("[{}] {word} {}{target}: {}", entry.node, decision.user, decision.reason);
        self.tell(stage::Msg::Noted(text));
    }

    fn show_servers(&self) {
        let bindings = self.demo.estate.bindings(USER);
        let server = |node: &NodeHandle| {
            let holds = bindings.iter().any(|binding| binding.node == node.name());
            stage::Server {
                name: ScreenText::of(node.name()),
                role: if node.role() == Role::Home { "home" } else { "distributor" },
                up: !self.stopped.iter().any(|name| name == node.name()),
                note: ScreenText::of(if holds { USER } else { "" }),
            }
        };
        self.tell(stage::Msg::Servers(self.demo.estate.nodes().map(server).collect()));
    }

    fn say(&self, text: &'static str) {
        self.tell_text(ScreenText::of(text));
    }

    fn tell_text(&self, text: ScreenText) {
        self.tell(stage::Msg::Told(text));
    }

    fn tell(&self, msg: stage::Msg) {
        // The phone may have ended; the key channel tells that.
        let _ = self.told.send(Msg::Stage(msg));
    }
}

/// The keys of the stage.
const ACTS: &[Act] = &[
    Act {
        key: 'm',
        label: "move alice",
        meaning: "assign alice to the other home server; R refreshes and meets the 301",
    },
    Act {
        key: 's',
        label: "stop/start home",
        meaning: "stop the home server where alice is, or start the one that is stopped",
    },
    Act { key: 'd', label: "stop/start lb", meaning: "stop the distributor, or start it again" },
    Act { key: 'u', label: "unsigned 301", meaning: "sign in anew, and be met by a 301 that nothing signs" },
    Act {
        key: 'b',
        label: "forged 301",
        meaning: "sign in anew, and be met by a 301 with a wrong signature",
    },
    Act {
        key: 'l',
        label: "looping 301",
        meaning: "sign in anew, but two servers send the phone to each other",
    },
    Act { key: 't', label: "301 without TLS", meaning: "sign in anew, but the 301 leads from TLS to TCP" },
    Act { key: 'o', label: "301 elsewhere", meaning: "sign in anew, but the 301 leads into another domain" },
    Act { key: 'c', label: "calm", meaning: "start every server and end every trick" },
];

/// The tricks: key, what the server does, what is said.
const TRICKS: &[(char, Mischief, &str)] = &[
    ('u', Mischief::Unsigned301, "the next 301 is not signed"),
    ('b', Mischief::BadSignature301, "the next 301 has a wrong signature"),
    ('l', Mischief::Loop(2), "two servers send the phone to each other"),
    ('t', Mischief::TlsToTcp, "the next 301 leads from TLS to TCP"),
    ('o', Mischief::OtherDomain, "the next 301 leads into another domain"),
];

/// How long signing out before a trick may take.
const PATIENCE: Duration = Duration::from_secs(2);
