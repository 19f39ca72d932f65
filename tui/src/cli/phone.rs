//! `homing` without a verb, and the verbs that show the phone: screen, plain lines, demo.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use homing::redirect::{Decision as Consent, RedirectAttempt};

use crate::bridge::{Bridge, LeftBehind, Prompt};
use crate::cli::agent::{Invocation, Session, Setup, runtime};
use crate::cli::args::Cli;
use crate::cli::attach::follow;
use crate::cli::events::tell_events;
use crate::cli::second_phone::{self, ConflictPolicy, Decision, Start};
use crate::config::{AccountEntry, Config, Paths, check, new_epid, read};
use crate::control::{Published, Server};
use crate::effect::Effect;
use crate::messages::{Notification, Problem, Severity};
use crate::model::{Model, Overlay};
use crate::report::{Console, Exit, Failure};
use crate::screen::{default_keymap, settings, wizard};
use crate::shell::{Signals, output_unread};
use crate::text::screen_text;
use crate::theme::{ColorMode, ColorTheme, Theme, ThemeName};

/// Opens the phone with the accounts of the configuration.
///
/// # Errors
/// A configuration or a terminal that is not usable.
pub(crate) fn run(cli: &Cli) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let plain = cli.plain || is_dumb();
    if cli.json || (!plain && !has_terminal()) {
        let hint = "Use --plain for lines, or a verb such as `homing login --watch --json`.";
        return Err(Failure::new(Exit::Config, "E0114", &"the phone needs a terminal to draw on", hint));
    }
    let accounts = setup.config.accounts();
    let policy = match (cli.new_endpoint, io::stdin().is_terminal()) {
        (true, _) => ConflictPolicy::NewEndpoint,
        (false, true) => ConflictPolicy::Ask,
        (false, false) => ConflictPolicy::Refuse,
    };
    runtime()?.block_on(async {
        let addresses = accounts.iter().map(AccountEntry::address).collect();
        let Start { socket, elsewhere } =
            match second_phone::decide(&setup.paths.phones, addresses, policy).await? {
                Decision::Start(start) => start,
                Decision::Attach(phones) => return follow(&phones, None, &cli.console()).await,
                Decision::Leave => return Ok(Exit::Done),
            };
        let mut bridge = Bridge::new(setup.agent()?, Some(setup.paths.clone()));
        bridge.set_config(setup.config.clone());
        bridge.set_fresh(setup.fresh);
        bridge.set_elsewhere(elsewhere);
        if !plain {
            bridge.take_calls();
        }
        let mut model = model(&setup.config, Some(&setup.paths));
        if let Some(file) = &cli.key_log {
            let warning = Notification::plain(Severity::Warning, super::key_log_warning(file));
            crate::update::notify(&mut model, warning);
        }
        let server = serve(socket, &mut model);
        let prompt = if plain { Prompt::Terminal } else { Prompt::Screen };
        if accounts.is_empty() {
            model.overlays.push(Overlay::Wizard(Box::new(wizard::State::new())));
        }
        for entry in accounts {
            match bridge.add(entry, prompt) {
                Ok(id) => bridge.perform(Effect::SignIn(id)),
                Err(fault) => crate::update::notify(&mut model, Notification::from(&Problem::from(&fault))),
            }
        }
        let shown = show(bridge, model, plain, server).await?;
        Ok(ended(shown, &cli.console()))
    })
}

/// Prints every change of one account until interrupted, of another phone's where one has it.
///
/// # Errors
/// An account that is not usable.
pub(crate) fn watch(invocation: &Invocation<'_>, console: &Console) -> Result<Exit, Failure> {
    let Invocation { cli, setup, session } = *invocation;
    let mut entry = setup.entry(&session.account)?;
    let address = entry.address();
    let policy = if cli.new_endpoint { ConflictPolicy::NewEndpoint } else { ConflictPolicy::Attach };
    runtime()?.block_on(async {
        let start = match second_phone::decide(&setup.paths.phones, vec![address.clone()], policy).await? {
            Decision::Start(start) => start,
            Decision::Attach(phones) => return follow(&phones, Some(&address), console).await,
            Decision::Leave => return Ok(Exit::Done),
        };
        if start.elsewhere.contains(&address) {
            entry.set("epid", toml::Value::String(new_epid()));
        }
        let session = setup.session_of(&entry, session)?;
        let mut model = model(&setup.config, None);
        let server = serve(start.socket, &mut model);
        let mut bridge = Bridge::new(session.agent.clone(), None);
        let id = bridge.adopt(session.account.clone());
        let exit = if *console == Console::Json {
            watch_as_json(bridge, model, server, &session).await
        } else {
            bridge.perform(Effect::SignIn(id));
            show(bridge, model, true, server).await.map(|left| ended(left, console))
        };
        session.keep_trace(console)?;
        exit
    })
}

/// Tells every event until a signal comes; the agent keeps signing in by itself.
async fn watch_as_json(
    bridge: Bridge,
    model: Model,
    mut server: Option<Server>,
    session: &Session,
) -> Result<Exit, Failure> {
    // There is no person to be asked.
    session.agent.redirect_policy(Arc::new(|_: &RedirectAttempt| Consent::Stop));
    let mut signals = Signals::new().map_err(|error| Failure::system(&error))?;
    let telling = tokio::spawn(tell_events(session.account.events(), Console::Json));
    let watching = async {
        match session.account.register().await {
            // One that is refused may be tried again later.
            Err(error) if !session.account.state().is_failure() => Failure::from(&error),
            _ => std::future::pending().await,
        }
    };
    let failure = tokio::select! {
        failure = watching => Some(failure),
        () = crate::shell::answer_only(bridge, model, &mut server) => None,
        () = signals.end() => None,
        () = output_unread() => None,
    };
    let closed = server.map(Server::close);
    let signed_out = session.sign_out().await;
    // The events end with the agent.
    let _ = telling.await;
    if let Some(closed) = closed {
        closed.ended().await;
    }
    match failure {
        Some(failure) => Err(failure),
        None => signed_out.map(|()| Exit::Done),
    }
}

/// The control socket answers from now on; a phone without one says so.
fn serve(socket: io::Result<Published>, model: &mut Model) -> Option<Server> {
    match socket {
        Ok(published) => Some(Server::start(published)),
        Err(error) => {
            let text = screen_text!("other commands cannot ask this phone: {error}");
            crate::update::notify(model, Notification::plain(Severity::Warning, text));
            None
        }
    }
}

/// Runs the demo: JSON by script, lines without a terminal, else the phone.
///
/// # Errors
/// What the script expected and did not see; an estate that does not start.
#[cfg(feature = "demo")]
pub(crate) fn demo(cli: &Cli, demo: &crate::cli::args::Demo, console: &Console) -> Result<Exit, Failure> {
    if cli.json || cli.plain || is_dumb() || !has_terminal() {
        return runtime()?.block_on(crate::demo::script(demo.seed, console));
    }
    let setup = Setup::load(cli)?;
    runtime()?.block_on(async {
        let bridge = crate::demo::bridge(crate::demo::start(demo.seed).await?);
        let shown = show(bridge, model(&setup.config, None), false, None).await?;
        Ok(ended(shown, console))
    })
}

async fn show(
    bridge: Bridge,
    model: Model,
    plain: bool,
    server: Option<Server>,
) -> Result<Vec<LeftBehind>, Failure> {
    let shown = if plain {
        crate::shell::run_plain(bridge, model, server).await
    } else {
        crate::shell::run(bridge, model, server).await
    };
    shown.map_err(|error| Failure::system(&error))
}

/// Tells which bindings are left behind; the first of them is how the program ends.
fn ended(left: Vec<LeftBehind>, console: &Console) -> Exit {
    let failures: Vec<Failure> =
        left.iter().filter_map(|left| Failure::sign_out(Some(&left.aor), left.outcome)).collect();
    failures.iter().for_each(|failure| console.failure(failure));
    failures.first().map_or(Exit::Done, |failure| failure.exit)
}

/// A phone that looks as the configuration says; what is odd about the files is told.
fn model(config: &Config, paths: Option<&Paths>) -> Model {
    let detected = ColorMode::detect(|name| std::env::var(name).ok());
    let theme = Theme::new(ColorTheme { name: ThemeName::Default, mode: detected }, false);
    let file = paths.and_then(|paths| read(&paths.keys).ok()).unwrap_or_default();
    let (keys, faults) = default_keymap().with_file(&file);
    let mut model = Model::new(theme, keys, settings::State::new(config.clone()));
    crate::update::apply_theme(&mut model);
    let remarks =
        check(config.file()).into_iter().map(|remark| screen_text!("{} {}", remark.path, remark.text));
    let faults = faults.into_iter().map(|fault| screen_text!("keys.toml: {fault}"));
    for remark in remarks.chain(faults) {
        crate::update::notify(&mut model, Notification::plain(Severity::Warning, remark));
    }
    model
}

/// True on a terminal that cannot place a character: it gets lines.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}
