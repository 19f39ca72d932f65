//! The demo's panel: keys become commands to the estate, its journal becomes messages for the phone.

use std::time::Duration;

use homing_server_mock::estate::{NodeHandle, Role};
use homing_server_mock::fault::Fault;
use homing_server_mock::journal::{Entry, Verdict};
use homing_server_mock::node::party::{AckManner, Manners};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::demo::setup::{DISTRIBUTOR, DOMAIN, Demo, HOMES, USER};
use crate::messages::{Notification, Severity};
use crate::msg::{Control, EstateMsg, Msg, Server};
use crate::text::{ScreenText, screen_text};

/// Starts the task behind the panel; keys go into what comes back, until the phone ends.
pub(super) fn start(demo: Demo, told: UnboundedSender<Msg>) -> UnboundedSender<char> {
    let (keys, mut pressed) = unbounded_channel();
    tokio::spawn(async move {
        let mut controls = Controls { demo, told, stopped: Vec::new(), asked_first: DISTRIBUTOR.to_owned() };
        controls.tell(Msg::Estate(EstateMsg::Started(CONTROLS.to_vec())));
        let mut journal = controls.demo.estate.journal().subscribe();
        loop {
            controls.show_servers();
            tokio::select! {
                key = pressed.recv() => match key {
                    Some(key) => controls.press(key).await,
                    None => break,
                },
                entries = journal.next() => match entries {
                    Some(entries) => entries.iter().for_each(|entry| controls.note(entry)),
                    None => break,
                },
            }
        }
    });
    keys
}

/// The state of the panel's task.
struct Controls {
    demo: Demo,
    told: UnboundedSender<Msg>,
    stopped: Vec<String>,
    /// Where the phone asks first: the home server it remembers, the distributor before it knows one.
    asked_first: String,
}

impl Controls {
    async fn press(&mut self, key: char) {
        match key {
            'm' => self.move_user().await,
            's' => match self.stopped_home().or_else(|| self.demo.current_home()) {
                Some(home) => self.toggle(&home),
                None => self.say("alice is not registered; there is no home server to stop"),
            },
            'i' => self.call_user(),
            'd' => self.toggle(DISTRIBUTOR),
            'c' => self.stop_faults(),
            _ => {
                if let Some((_, fault, text)) = FAULTS.iter().find(|(letter, _, _)| *letter == key) {
                    self.provoke(fault.clone(), text).await;
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

    /// Has a party call the user.
    fn call_user(&self) {
        let (party, user) = (format!("echo@{DOMAIN}"), format!("{USER}@{DOMAIN}"));
        let manners = Manners { offers: true, ack: AckManner::Prompt };
        self.demo.estate.node(PARTIES).party_calls(&party, &user, manners);
        self.say("echo calls alice: 1 shows the phone, F5 answers");
    }

    /// Signs out, arms the fault at the server that the phone asks first, and signs in.
    async fn provoke(&mut self, fault: Fault, text: &'static str) {
        self.say(text);
        // The phone remembers its home server, also while it is signed out: so the fault is armed there.
        if let Some(home) = self.demo.current_home() {
            self.asked_first = home;
        }
        // An account that is not signed in need not be signed out.
        let _ = tokio::time::timeout(PATIENCE, self.demo.account.unregister()).await;
        self.demo.estate.nodes().for_each(NodeHandle::clear_faults);
        self.demo.estate.node(&self.asked_first).inject_fault(fault);
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

    /// Starts every server and ends every fault.
    fn stop_faults(&mut self) {
        for node in self.demo.estate.nodes() {
            // One that cannot start stays down and is shown so.
            if node.restart().is_ok() {
                self.stopped.retain(|stopped| stopped != node.name());
            }
            node.clear_faults();
        }
        self.say("every server runs, without faults");
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
            Verdict::LogonRefused => "refused the login of",
            Verdict::Refused => "refused",
            Verdict::Proxied => "proxied",
            Verdict::Fault => {
                let text = screen_text!("[{}] fault: {}", entry.node, decision.reason);
                return self.notify(Severity::Detail, text);
            }
            Verdict::Challenged
            | Verdict::Authenticated
            | Verdict::Accepted
            | Verdict::Discarded
            | Verdict::Repeated
            | Verdict::Notified
            | Verdict::Call
            | Verdict::Flow
            | Verdict::Estate => return,
        };
        let target =
            if decision.target.is_empty() { String::new() } else { format!(" → {}", decision.target) };
        let text = screen_text!("[{}] {word} {}{target}: {}", entry.node, decision.user, decision.reason);
        self.notify(Severity::Detail, text);
    }

    fn show_servers(&self) {
        let bindings = self.demo.estate.bindings(USER);
        let server = |node: &NodeHandle| {
            let holds = bindings.iter().any(|binding| binding.node == node.name());
            Server {
                name: ScreenText::of(node.name()),
                role: if node.role() == Role::Home { "home" } else { "distributor" },
                up: !self.stopped.iter().any(|name| name == node.name()),
                note: ScreenText::of(if holds { USER } else { "" }),
            }
        };
        self.tell(Msg::Estate(EstateMsg::Servers(self.demo.estate.nodes().map(server).collect())));
    }

    fn say(&self, text: &'static str) {
        self.tell_text(ScreenText::of(text));
    }

    fn tell_text(&self, text: ScreenText) {
        self.notify(Severity::Success, text);
    }

    fn notify(&self, severity: Severity, text: ScreenText) {
        self.tell(Msg::Notify(Notification::plain(severity, text)));
    }

    fn tell(&self, msg: Msg) {
        // The phone may have ended; the key channel tells that.
        let _ = self.told.send(msg);
    }
}

/// The keys of the panel.
const CONTROLS: &[Control] = &[
    Control {
        key: 'm',
        label: "move alice",
        meaning: "assign alice to the other home server; R refreshes and meets the 301",
    },
    Control {
        key: 's',
        label: "stop/start home",
        meaning: "stop the home server where alice is, or start the one that is stopped",
    },
    Control { key: 'i', label: "call alice", meaning: "have echo@network.com call alice" },
    Control { key: 'd', label: "stop/start lb", meaning: "stop the distributor, or start it again" },
    Control { key: 'u', label: "unsigned 301", meaning: "sign in again and get a 301 without a signature" },
    Control { key: 'b', label: "forged 301", meaning: "sign in again and get a 301 with a wrong signature" },
    Control { key: 'l', label: "looping 301", meaning: "sign in again; two servers redirect to each other" },
    Control { key: 't', label: "301 without TLS", meaning: "sign in again and get a 301 from TLS to TCP" },
    Control { key: 'o', label: "301 elsewhere", meaning: "sign in again and get a 301 into another domain" },
    Control { key: 'c', label: "stop faults", meaning: "start every server and end every fault" },
];

/// Key, fault of the server, and what is said when it is armed.
const FAULTS: &[(char, Fault, &str)] = &[
    ('u', Fault::Unsigned301, "the next 301 is not signed"),
    ('b', Fault::BadSignature301, "the next 301 has a wrong signature"),
    ('l', Fault::Loop(2), "two servers redirect to each other"),
    ('t', Fault::TlsToTcp, "the next 301 leads from TLS to TCP"),
    ('o', Fault::OtherDomain, "the next 301 leads into another domain"),
];

/// The home server of the party that calls.
const PARTIES: &str = HOMES[0];
/// How long signing out before a fault may take.
const PATIENCE: Duration = Duration::from_secs(2);
