//! The same play by script: each step does something to the estate and expects what the phone must do.

use std::time::{Duration, Instant};

use homing::event::{HopVerdict, Journey, LogoutReason};
use homing::{AccountEvent, Error};
use homing_server_mock::estate::Transport;
use homing_server_mock::fault::Fault;
use homing_server_mock::journal::{Entry, Verdict};
use serde_json::json;

use crate::bridge::GRACE;
use crate::demo::setup::{DISTRIBUTOR, Demo, HOMES, USER, failed, start};
use crate::report::{Console, Exit, Failure, event_json, journey_json, journey_lines};
use crate::text::screen_text;

/// Plays the script; done only if every step went as it must.
///
/// # Errors
/// The first step that went otherwise.
pub(crate) async fn run(seed: u64, console: &Console) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let demo = start(seed).await?;
    console.event("estate", json!({ "domain": demo.estate.domain(), "seed": seed }));
    for node in demo.estate.nodes() {
        let address = node.find_address(Transport::Tls).map(|address| address.to_string());
        console.event(
            "server",
            json!({ "name": node.fqdn(), "role": format!("{:?}", node.role()), "tls": address }),
        );
        console.say(&screen_text!(
            "{:<20} {:?} at {}",
            node.fqdn(),
            node.role(),
            address.unwrap_or_default()
        ));
    }
    let play = Play { demo, console };
    let told = tokio::spawn(tell(play.demo.account.events(), *console));
    let result = play.all().await;
    play.demo.agent.shutdown(GRACE).await;
    // The events end with the agent.
    let _ = told.await;
    result?;
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    console.event("done", json!({ "ok": true, "millis": millis }));
    console.say(&screen_text!("everything went as it must, in {millis} ms"));
    Ok(Exit::Done)
}

/// The play and where it is told.
struct Play<'a> {
    demo: Demo,
    console: &'a Console,
}

impl Play<'_> {
    async fn all(&self) -> Result<(), Failure> {
        self.sign_in().await?;
        self.stay().await?;
        self.moved().await?;
        self.server_lost().await?;
        self.lured("forged-301", Fault::Unsigned301, &["E0608", "E0703"]).await?;
        self.lured("false-signature-301", Fault::BadSignature301, &["E0609", "E0704"]).await?;
        self.lured("looping-301", Fault::Loop(2), &["E0702"]).await?;
        self.lured("downgrading-301", Fault::TlsToTcp, &["E0706"]).await?;
        self.sign_out().await
    }

    /// The main job: discovery, TLS, NTLM, the signed 301, the home server.
    async fn sign_in(&self) -> Result<(), Failure> {
        let registration = self.demo.account.register().await.map_err(|error| self.surprised(&error))?;
        let journey = registration.journey();
        self.console.say_all(&journey_lines(journey));
        let signed_301 = journey
            .hops
            .iter()
            .any(|hop| matches!(hop.verdict, HopVerdict::Redirected { status: 301, signed: true, .. }));
        let signed_200 = journey
            .last()
            .is_some_and(|hop| matches!(hop.verdict, HopVerdict::Accepted { signed: true, .. }));
        let home = &registration.home().host;
        self.expect(
            "sign-in",
            "redirected once, by a signed 301, to the home server",
            signed_301 && signed_200 && journey.redirects() == 1 && home.starts_with(HOMES[1]),
        )?;
        self.step("sign-in", journey, &format!("home server {home}"));
        Ok(())
    }

    /// The home server stays: a refresh goes there, and the distributor hears nothing of it (paragraph 52).
    async fn stay(&self) -> Result<(), Failure> {
        let heard =
            || self.demo.estate.node(DISTRIBUTOR).journal().iter().filter(|e| e.is_received()).count();
        let before = heard();
        self.demo.account.refresh().await.map_err(|error| self.surprised(&error))?;
        self.expect("stay", "a refresh goes to the home server alone", heard() == before)?;
        self.expect("stay", "the binding is there and nowhere else", self.sits_at(HOMES[1]))?;
        self.step("stay", &Journey::default(), "refreshed at the home server; the distributor heard nothing");
        Ok(())
    }

    /// The assignment changes: the next refresh meets a 301, the phone logs out and signs in as a whole.
    async fn moved(&self) -> Result<(), Failure> {
        let mut events = self.demo.account.events();
        let moved = self.demo.estate.move_user(USER, HOMES[0], "the demo moves the user").await;
        moved.map_err(|error| failed(&error))?;
        self.demo.account.refresh().await.map_err(|error| self.surprised(&error))?;
        let parted = tokio::time::timeout(PATIENCE, logouts_until_registered(&mut events)).await;
        let by_move = parted.is_ok_and(|reasons| reasons == [LogoutReason::Moved]);
        self.expect("move", "the phone logs out, once, because it is moved", by_move)?;
        let old = self.demo.estate.node(HOMES[1]).journal();
        let redirects =
            old.iter().filter_map(Entry::decision).any(|said| said.verdict == Verdict::Redirected);
        self.expect("move", "its old home server redirects the refresh", redirects)?;
        self.expect("move", "the phone is registered at the new home server", self.sits_at(HOMES[0]))?;
        self.step(
            "move",
            &Journey::default(),
            "a 301 on refresh: logged out, signed in at the new home server",
        );
        Ok(())
    }

    /// The home server dies and comes back empty.
    async fn server_lost(&self) -> Result<(), Failure> {
        let home = self.demo.estate.node(HOMES[0]);
        home.stop();
        let mut account = self.demo.account.clone();
        let noticed = tokio::time::timeout(PATIENCE, async {
            while account.state().is_reachable() {
                account.changed().await;
            }
        });
        self.expect("server-lost", "the phone notices that its home server is gone", noticed.await.is_ok())?;
        home.restart().map_err(|error| failed(&error))?;
        let back = tokio::time::timeout(PATIENCE, self.demo.account.register()).await;
        let back = matches!(back, Ok(Ok(_)));
        self.expect("server-lost", "the phone is back once the server runs", back && self.sits_at(HOMES[0]))?;
        self.step(
            "server-lost",
            &Journey::default(),
            "the loss was noticed; signed in again when the server ran",
        );
        Ok(())
    }

    /// A false 301 is not followed, and the phone says why.
    async fn lured(&self, step: &'static str, trick: Fault, codes: &[&str]) -> Result<(), Failure> {
        // The phone remembers its home server and asks there first: that is where it must be lured.
        let home = self.demo.current_home().unwrap_or_else(|| DISTRIBUTOR.to_owned());
        self.demo.account.unregister().await.map_err(|error| self.surprised(&error))?;
        self.demo.estate.node(&home).inject_fault(trick);
        let refused = self.demo.account.register().await;
        let Err(error) = refused else { return self.expect(step, "the 301 is not followed", false) };
        let right = codes.contains(&error.code());
        self.expect(step, &format!("refused for its own reason, not {}", error.code()), right)?;
        self.expect(step, "the login failed and stays failed", self.demo.account.state().is_failure())?;
        self.step(step, error.journey(), &format!("{} {error}", error.code()));
        for node in self.demo.estate.nodes() {
            node.clear_faults();
        }
        self.demo.account.register().await.map_err(|error| self.surprised(&error))?;
        Ok(())
    }

    async fn sign_out(&self) -> Result<(), Failure> {
        self.demo.account.unregister().await.map_err(|error| self.surprised(&error))?;
        self.expect("sign-out", "no server holds a binding", self.demo.estate.bindings(USER).is_empty())?;
        self.step("sign-out", &Journey::default(), "no binding is left");
        Ok(())
    }

    /// True if the user is registered at this server and at no other.
    fn sits_at(&self, home: &str) -> bool {
        let bindings = self.demo.estate.bindings(USER);
        bindings.len() == 1 && bindings[0].node == home
    }

    fn step(&self, step: &'static str, journey: &Journey, text: &str) {
        self.console.event(
            "step",
            json!({ "step": step, "ok": true, "text": text, "journey": journey_json(journey) }),
        );
        self.console.say(&screen_text!("ok    {step:<20} {text}"));
    }

    fn expect(&self, step: &'static str, what: &str, right: bool) -> Result<(), Failure> {
        if right {
            return Ok(());
        }
        self.console.event("step", json!({ "step": step, "ok": false, "text": what }));
        let sentence = format!("{step}: expected: {what}");
        Err(Failure::new(
            Exit::Expectation,
            "E1102",
            &sentence,
            "This is a fault of the program; please report it.",
        ))
    }

    fn surprised(&self, error: &Error) -> Failure {
        self.console.say_all(&journey_lines(error.journey()));
        let sentence = format!("{} {error}", error.code());
        Failure::new(
            Exit::Expectation,
            "E1102",
            &sentence,
            "This is a fault of the program; please report it.",
        )
    }
}

/// Why the phone logged out before it was registered again.
async fn logouts_until_registered(events: &mut homing::AccountEvents) -> Vec<LogoutReason> {
    let mut reasons = Vec::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(AccountEvent::LoggedOut { why }) => reasons.push(why),
            Ok(AccountEvent::Registered(_)) => break,
            Ok(_) | Err(_) => {}
        }
    }
    reasons
}

async fn tell(mut events: homing::AccountEvents, console: Console) {
    while let Some(event) = events.next().await {
        if let Ok(event) = event {
            let (name, fields) = event_json(&event);
            console.event(name, fields);
        }
    }
}

/// How long a step may take that waits for the phone by itself.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_whole_play_goes_as_it_must() {
        let played = run(7, &Console::Quiet).await;
        assert!(matches!(played, Ok(Exit::Done)), "{played:?}");
    }
}
