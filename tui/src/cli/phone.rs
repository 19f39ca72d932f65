//! `homing` without a verb, and the verbs that show the phone: screen, plain lines, demo.

use std::io::IsTerminal;

use crate::bridge::{Bridge, Prompt};
use crate::cli::agent::{Setup, runtime};
use crate::cli::args::{Cli, Visit};
use crate::config::{Config, Paths, check, read};
use crate::effect::Effect;
use crate::keys::Keymap;
use crate::look::{ColorMode, Look, Theme, ThemeName};
use crate::model::{Model, Overlay};
use crate::report::{Console, Exit, Failure};
use crate::screen::{settings, wizard};
use crate::text::screen_text;
use crate::words::{News, Trouble, Weight};

/// Opens the phone with the accounts of the configuration.
///
/// # Errors
/// A configuration or a terminal that is not usable.
pub(crate) fn run(cli: &Cli) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let plain = cli.plain;
    if cli.json || (!plain && !has_terminal()) {
        let hint = "Use --plain for lines, or a verb such as `homing login --watch --json`.";
        return Err(Failure::new(Exit::Config, "E0114", &"the phone needs a terminal to draw on", hint));
    }
    let agent = setup.agent()?;
    runtime()?.block_on(async {
        let mut bridge = Bridge::new(agent, Some(setup.paths.clone()));
        let mut model = model(&setup.config, Some(&setup.paths));
        let prompt = if plain { Prompt::Terminal } else { Prompt::Screen };
        for entry in setup.config.accounts() {
            match bridge.add(entry, prompt) {
                Ok(id) => bridge.perform(Effect::SignIn(id)),
                Err(fault) => crate::update::tell(&mut model, News::from(&Trouble::from(&fault))),
            }
        }
        if setup.config.accounts().is_empty() {
            model.overlays.push(Overlay::Wizard(Box::new(wizard::State::new())));
        }
        show(bridge, model, plain, Some(&setup.paths)).await
    })
}

/// Prints every change of one account until interrupted.
///
/// # Errors
/// An account that is not usable.
pub(crate) fn watch(setup: &Setup, visit: &Visit, console: &Console) -> Result<Exit, Failure> {
    let session = setup.session(visit)?;
    let exit = runtime()?.block_on(async {
        let mut bridge = Bridge::new(session.agent.clone(), None);
        let id = bridge.adopt(session.account.clone());
        bridge.perform(Effect::SignIn(id));
        show(bridge, model(&setup.config, None), true, Some(&setup.paths)).await
    })?;
    session.keep_trace(console)?;
    Ok(exit)
}

/// Runs the demo: JSON by script, lines without a terminal, else the phone.
///
/// # Errors
/// What the script expected and did not see; an estate that does not start.
#[cfg(feature = "demo")]
pub(crate) fn demo(cli: &Cli, demo: &crate::cli::args::Demo, console: &Console) -> Result<Exit, Failure> {
    if cli.json || cli.plain || !has_terminal() {
        return runtime()?.block_on(crate::demo::script(demo.seed, console));
    }
    let setup = Setup::load(cli)?;
    runtime()?.block_on(async {
        let bridge = crate::demo::raise(demo.seed).await?.bridge();
        show(bridge, model(&setup.config, None), false, None).await
    })
}

async fn show(bridge: Bridge, model: Model, plain: bool, paths: Option<&Paths>) -> Result<Exit, Failure> {
    let socket = paths.map(|paths| crate::shell::Socket::open(&paths.socket));
    let shown = if plain {
        crate::shell::run_plain(bridge, model, socket).await
    } else {
        crate::shell::run(bridge, model, socket).await
    };
    shown.map(|()| Exit::Done).map_err(|error| Failure::system(&error))
}

/// A phone that looks as the configuration says; what is odd about the files is told.
fn model(config: &Config, paths: Option<&Paths>) -> Model {
    let detected = ColorMode::detect(|name| std::env::var(name).ok());
    let look = Look::new(Theme { name: ThemeName::Default, mode: detected }, false);
    let file = paths.and_then(|paths| read(&paths.keys).ok()).unwrap_or_default();
    let (keys, faults) = Keymap::default().with_file(&file);
    let mut model = Model::new(look, keys, settings::State::new(config.clone()));
    crate::update::apply_look(&mut model);
    let remarks =
        check(config.file()).into_iter().map(|remark| screen_text!("{} {}", remark.path, remark.text));
    let faults = faults.into_iter().map(|fault| screen_text!("keys.toml: {fault}"));
    for remark in remarks.chain(faults) {
        crate::update::tell(&mut model, News::plain(Weight::Warning, remark));
    }
    model
}

fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}
