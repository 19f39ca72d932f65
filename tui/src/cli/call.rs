//! `homing call`: signs in, calls an address, plays, records and dials, and hangs up.

use std::time::Duration;

use homing::call::{Call as SipCall, CallEnd, EndedBy};
use homing::sound::{Audio, AudioControl, Repeat, Sine, SoundError, SoundEvent, Source};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::cli::agent::Setup;
use crate::cli::args::{Call, Cli};
use crate::messages::Problem;
use crate::report::{Console, Exit, Failure};
use crate::text::screen_text;

/// Runs the verb. It calls as an endpoint of its own, so that a running phone is left alone. An interruption hangs up.
///
/// # Errors
/// Why the login failed, the call was refused, or a file cannot be played or written; that it ended otherwise than was
/// expected; that nobody answered within the timeout.
pub(crate) fn run(cli: &Cli, call: &Call, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let mut args = call.session.clone();
    let to = args.account.account.take().ok_or_else(nobody)?;
    args.account.account.clone_from(&call.through);
    let session = setup.session(&args)?;
    // The time for an answer is bounded apart from that of the conversation.
    let most = cli.timeout.saturating_mul(2).saturating_add(call.duration.unwrap_or(LONGEST));
    session.run(most, console, async {
        let account = &session.account;
        let registered = timeout(cli.timeout, account.register()).await;
        registered.map_err(|_| Failure::timeout(cli.timeout))?.map_err(|error| Failure::from(&error))?;
        let placed = account.call(to.clone()).audio(Audio::Silence).place().await;
        let placed = placed.map_err(|error| Failure::from(&error))?;
        console.event("call", json!({ "to": to, "state": "calling" }));
        let answered = timeout(cli.timeout, placed.answered()).await;
        let answered = answered.map_err(|_| Failure::timeout(cli.timeout))?;
        match (answered, call.expect.as_deref()) {
            (Ok(_), None | Some("connected")) => converse(&placed, call, console).await.map(|()| Exit::Done),
            (Ok(_), Some(wanted)) => Err(otherwise(wanted, "connected")),
            (Err(error), wanted) => {
                let status = placed.ended().await.status.map(|status| status.to_string());
                console.event("call", json!({ "to": to, "state": "ended", "status": status }));
                match (wanted, status) {
                    (Some(wanted), Some(status)) if wanted == status => {
                        console.say(&screen_text!("ended with {status}, as expected"));
                        Ok(Exit::Done)
                    }
                    (Some(wanted), status) => {
                        Err(otherwise(wanted, &status.unwrap_or_else(|| error.to_string())))
                    }
                    (None, _) => Err(Failure::of(Exit::Refused, Problem::from(&error))),
                }
            }
        }
    })
}

/// What is done in an answered call, until it is hung up by either side.
async fn converse(call: &SipCall, args: &Call, console: &Console) -> Result<(), Failure> {
    let terms = call.sound_terms().map(|terms| terms.to_string()).unwrap_or_default();
    console.event("call", json!({ "to": call.remote(), "state": "connected", "sound": terms }));
    console.say(&screen_text!("connected with {}: {terms}", call.remote()));
    let audio = call.audio().ok_or_else(|| sound(&SoundError::Over))?;
    let recording = args.record.as_ref().map(|path| audio.record(path));
    let work = async {
        speak(&audio, args).await?;
        match args.duration {
            Some(span) => sleep(span).await,
            // Who neither plays nor dials stays until the other side hangs up.
            None if args.play.is_none() && args.dtmf.is_none() => std::future::pending().await,
            None => {}
        }
        Ok(())
    };
    let worked = tokio::select! {
        worked = work => worked.map_err(|error| sound(&error)),
        end = async { tokio::join!(call.ended(), tell_digits(call, console)).0 } => ended_early(&end, args),
    };
    let end = call.hang_up().await.map_err(|error| Failure::from(&error))?;
    let recorded = match recording {
        Some(recording) => Some(recording.ended().await.map_err(|error| sound(&error))?),
        None => None,
    };
    worked?;
    let seconds = recorded.map(|length| length.as_secs_f64());
    let by = if end.by == EndedBy::Us { "us" } else { "them" };
    console.event(
        "call",
        json!({ "to": call.remote(), "state": "ended", "by": by, "code": end.why.code(), "recorded": seconds }),
    );
    console.say(&screen_text!("{}", end.why.sentence()));
    Ok(())
}

/// Plays and dials what was asked for, one after the other.
async fn speak(audio: &AudioControl, args: &Call) -> Result<(), SoundError> {
    match args.play.as_deref() {
        Some("tone") => {
            let tone = Sine { duration: Some(TONE), ..Sine::new(1_000.0) };
            audio.play(Source::Sine(tone)).ended().await?;
        }
        Some(path) => {
            audio.play(Source::File { path: path.into(), repeat: Repeat::Times(1) }).ended().await?;
        }
        None => {}
    }
    if let Some(digits) = &args.dtmf {
        audio.dtmf(digits).await?;
    }
    // What is under way to the other side and back is heard, too.
    sleep(ECHO).await;
    Ok(())
}

/// What it means that the call ended while there was still something to do or to wait for.
///
/// # Errors
/// Nobody hung up, or not all was played and dialled.
fn ended_early(end: &CallEnd, args: &Call) -> Result<(), Failure> {
    // Without a code it is an end that somebody wished.
    if let Some(code) = end.why.code() {
        let problem = Problem::new(code, &end.why.sentence(), end.why.hint());
        return Err(Failure::of(Exit::Refused, problem));
    }
    if args.play.is_none() && args.dtmf.is_none() {
        return Ok(());
    }
    let sentence = "the other side hung up before all was played and dialled";
    let hint = "Play and dial less, or ask why it hangs up so soon; --trace shows what was said.";
    Err(Failure::new(Exit::Refused, "E1104", &sentence, hint))
}

/// Tells what the other side presses, until its sound ends.
async fn tell_digits(call: &SipCall, console: &Console) {
    let Some(mut events) = call.sound_events() else { return };
    while let Some(event) = events.next().await {
        if let SoundEvent::Digit { digit, duration } = event {
            let millis = duration.as_millis();
            console
                .event("digit", json!({ "digit": digit.to_string(), "millis": u64::try_from(millis).ok() }));
            console.say(&screen_text!("they pressed {digit}"));
        }
    }
}

fn nobody() -> Failure {
    let hint = "Name whom to call: homing call bob@corp.example, or sip:bob@corp.example.";
    Failure::new(Exit::Usage, "E0203", &"nobody is called", hint)
}

fn sound(error: &SoundError) -> Failure {
    Failure::of(Exit::Config, Problem::new(error.code(), error, error.hint()))
}

fn otherwise(wanted: &str, happened: &str) -> Failure {
    let sentence = format!("expected {wanted}, and it came to {happened}");
    Failure::new(
        Exit::Expectation,
        "E1103",
        &sentence,
        "The trace (--trace) shows what was said and by whom.",
    )
}

/// How long a tone is played.
const TONE: Duration = Duration::from_secs(2);
/// Time for what was said last to come back.
const ECHO: Duration = Duration::from_millis(500);
/// The longest conversation of which no length is said.
const LONGEST: Duration = Duration::from_secs(12 * 3_600);
