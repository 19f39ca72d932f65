//! Prompts for passwords and redirects, each answered once through its number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homing::redirect::{Decision, RedirectAttempt};
use homing::{AccountId, Credentials, CredentialsProvider, CredentialsRequest, Password, UserAgent};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::config::{AccountEntry, PasswordFault, PasswordSource};
use crate::msg::Msg;
use crate::screen::{consent, password};
use crate::text::ScreenText;

/// The questions that wait for a person at the screen. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Prompts {
    told: UnboundedSender<Msg>,
    waiting: Arc<Mutex<Waiting>>,
}

/// Who waits for what.
#[derive(Default)]
struct Waiting {
    last: u64,
    passwords: BTreeMap<u64, (String, oneshot::Sender<Option<Password>>)>,
    decisions: BTreeMap<u64, (Way, oneshot::Sender<Decision>)>,
    /// Ways a person does not want to be asked about again in this run.
    granted: BTreeSet<Way>,
}

/// Whose redirect, and the servers it names.
type Way = (AccountId, String);

impl Prompts {
    /// No question yet.
    pub(crate) fn new(told: UnboundedSender<Msg>) -> Self {
        Self { told, waiting: Arc::default() }
    }

    /// Redirects that passed every rule are asked about here, where an account wants it so.
    pub(crate) fn decide_redirects_of(&self, agent: &UserAgent) {
        let prompts = self.clone();
        agent.redirect_policy(Arc::new(move |attempt: &RedirectAttempt| prompts.ask_redirect(attempt)));
    }

    /// Answers a question about a redirect.
    pub(crate) fn decide(&self, id: u64, decision: Decision, always: bool) {
        let asked = self.with(|waiting| {
            let (way, asked) = waiting.decisions.remove(&id)?;
            if always {
                waiting.granted.insert(way);
            }
            Some(asked)
        });
        if let Some(asked) = asked {
            // Who asked may have given up.
            let _ = asked.send(decision);
        }
    }

    /// Answers a question for a password; the address it was for comes back.
    pub(crate) fn answer(&self, id: u64, password: Option<Password>) -> Option<String> {
        let (aor, asked) = self.with(|waiting| waiting.passwords.remove(&id))?;
        // Who asked may have given up.
        let _ = asked.send(password);
        Some(aor)
    }

    async fn ask_password(&self, aor: &str, request: &CredentialsRequest) -> Option<Password> {
        let (sender, answer) = oneshot::channel();
        let id = self.with(|waiting| {
            waiting.last += 1;
            // Who asked before for the same address has given up.
            waiting.passwords.retain(|_, (other, _)| other != aor);
            waiting.passwords.insert(waiting.last, (aor.to_owned(), sender));
            waiting.last
        });
        let request = password::Request {
            id,
            aor: ScreenText::of(aor),
            server: ScreenText::from_display(&request.server),
            refused_before: request.refused_before,
        };
        self.told.send(Msg::PasswordWanted(request)).ok()?;
        let _open = OpenPassword { id, prompts: self };
        answer.await.ok().flatten()
    }

    fn ask_redirect(&self, attempt: &RedirectAttempt) -> Decision {
        let targets: Vec<String> = attempt.targets.iter().map(ToString::to_string).collect();
        let way = (attempt.account, targets.join(", "));
        if self.with(|waiting| waiting.granted.contains(&way)) {
            return Decision::Follow;
        }
        let (sender, answer) = oneshot::channel();
        let id = self.with(|waiting| {
            waiting.last += 1;
            waiting.decisions.insert(waiting.last, (way, sender));
            waiting.last
        });
        let request = consent::Request {
            id,
            account: attempt.account,
            aor: ScreenText::default(),
            from: ScreenText::from_display(&attempt.from),
            to: ScreenText::of(&targets.join(", ")),
            signed: attempt.signed,
            remaining: usize::from(attempt.journey.limit).saturating_sub(attempt.journey.redirects()),
        };
        if self.told.send(Msg::Asked(request)).is_err() {
            return Decision::Stop;
        }
        // The policy is asked on a thread of its own and may wait for a person.
        answer.blocking_recv().unwrap_or(Decision::Stop)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Waiting) -> T) -> T {
        work(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A question for a password while the login that asks it waits. A login that is cancelled, or whose time
/// is over, drops it: then the screen must not go on asking.
struct OpenPassword<'a> {
    id: u64,
    prompts: &'a Prompts,
}

impl Drop for OpenPassword<'_> {
    fn drop(&mut self) {
        // One that was answered, or asked again for the same address, is closed already.
        if self.prompts.with(|waiting| waiting.passwords.remove(&self.id)).is_some() {
            // The phone may have ended first.
            let _ = self.prompts.told.send(Msg::PasswordWithdrawn(self.id));
        }
    }
}

/// Gives the credentials of one account: from where its entry says, else from a person.
pub(crate) struct EntryCredentials {
    aor: String,
    user: String,
    domain: String,
    source: PasswordSource,
    /// None on the command line, where the prompt is the terminal's.
    screen: Option<Prompts>,
    given: GivenPassword,
}

/// The password that was given last: a login meets several servers, and it is typed once, not for each of them.
#[derive(Clone, Default)]
pub(crate) struct GivenPassword(Arc<Mutex<Option<Password>>>);

impl GivenPassword {
    /// The source is read again, the person asked again, before the next login.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Password>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EntryCredentials {
    /// For a phone with a screen.
    pub(crate) fn on_screen(entry: &AccountEntry, prompts: Prompts) -> Self {
        Self { screen: Some(prompts), ..Self::on_terminal(entry, entry.password_source()) }
    }

    /// For the command line.
    pub(crate) fn on_terminal(entry: &AccountEntry, source: PasswordSource) -> Self {
        Self {
            aor: entry.text("aor"),
            user: entry.login_name(),
            domain: entry.text("domain"),
            source,
            screen: None,
            given: GivenPassword::default(),
        }
    }

    /// Reads a password that needs no person now, so that a file or command at fault is told before
    /// anybody is dialled.
    ///
    /// # Errors
    /// Why there is no password; never a part of it.
    pub(crate) fn filled(self) -> Result<Self, PasswordFault> {
        if self.source != PasswordSource::Prompt {
            *self.given.lock() = Some(self.source.fetch(&self.aor)?);
        }
        Ok(self)
    }

    async fn fetch(&self, request: &CredentialsRequest) -> Option<Password> {
        if !request.refused_before
            && let Some(given) = self.given.lock().clone()
        {
            return Some(given);
        }
        let password = match (&self.source, &self.screen) {
            (PasswordSource::Prompt, Some(prompts)) => prompts.ask_password(&self.aor, request).await?,
            (PasswordSource::Prompt, None) => self.read_source().await?,
            _ => {
                // What was refused is not given once more by itself, be it that the source has changed since.
                let refused = self.given.lock().take().filter(|_| request.refused_before);
                let read = self.read_source().await?;
                // The same password again would only lock the account.
                if refused.is_some_and(|refused| refused.reveal() == read.reveal()) {
                    return None;
                }
                read
            }
        };
        *self.given.lock() = Some(password.clone());
        Some(password)
    }

    /// Reads where the entry says, off the agent's thread.
    async fn read_source(&self) -> Option<Password> {
        let (source, aor) = (self.source.clone(), self.aor.clone());
        let reading = tokio::task::spawn_blocking(move || source.fetch(&aor));
        let fetched = match self.source {
            PasswordSource::Prompt => reading.await,
            // A keyring or a command may hang on a hidden dialogue; the login does not.
            _ => tokio::time::timeout(PATIENCE, reading).await.ok()?,
        };
        let fetched = fetched.ok()?;
        fetched.inspect_err(|fault| tracing::warn!("no password: {fault}")).ok()
    }

    /// What it gives until it is forgotten.
    pub(crate) fn given(&self) -> GivenPassword {
        self.given.clone()
    }
}

impl CredentialsProvider for EntryCredentials {
    async fn credentials(&self, request: &CredentialsRequest) -> Option<Credentials> {
        let password = self.fetch(request).await?;
        Some(Credentials::new(&self.user, &self.domain, password))
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use homing::{Aor, ServerName};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    fn request(server: &str, refused_before: bool) -> CredentialsRequest {
        let server = ServerName::new(server, 5061);
        CredentialsRequest { account: AccountId(1), server, realm: String::new(), refused_before }
    }

    #[tokio::test]
    async fn a_person_is_asked_once_per_login_and_again_after_a_refusal() {
        let (told, mut screen) = unbounded_channel();
        let prompts = Prompts::new(told);
        let entry = AccountEntry::for_address(&Aor::parse("alice@network.com").expect("an address"));
        let credentials = EntryCredentials::on_screen(&entry, prompts.clone());
        for (server, refused, typed) in [("lb", false, "one"), ("hs104", false, ""), ("lb", true, "two")] {
            let request = request(server, refused);
            let person = async {
                // Where nothing is to be typed, nothing may be asked.
                while !typed.is_empty() {
                    if let Some(Msg::PasswordWanted(asked)) = screen.recv().await {
                        assert_eq!(asked.refused_before, refused);
                        prompts.answer(asked.id, Some(Password::new(typed)));
                        break;
                    }
                }
            };
            let (given, ()) = tokio::join!(credentials.credentials(&request), person);
            let expected = if typed.is_empty() { "one" } else { typed };
            assert_eq!(given.expect("credentials").password.reveal(), expected, "{server}");
        }
        assert!(screen.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_source_is_read_again_after_a_refusal_and_gives_only_another_password() {
        let file = std::env::temp_dir().join(format!("homing-source-{}", std::process::id()));
        let write = |text: &str| {
            std::fs::write(&file, text).expect("a temporary file");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&file, mode).expect("our own file");
        };
        let entry = AccountEntry::for_address(&Aor::parse("alice@network.com").expect("an address"));
        let source = PasswordSource::File(file.clone());
        write("old");
        let credentials = EntryCredentials::on_terminal(&entry, source).filled().expect("a password");
        let given = async |refused: bool| {
            let given = credentials.credentials(&request("lb", refused)).await?;
            Some(given.password.reveal().to_owned())
        };
        assert_eq!(given(false).await.as_deref(), Some("old"));
        assert_eq!(given(true).await, None, "the same again would only lock the account");
        write("new");
        credentials.given().forget();
        assert_eq!(given(false).await.as_deref(), Some("new"), "what was forgotten is read again");
        write("newer");
        assert_eq!(given(true).await.as_deref(), Some("newer"));
        std::fs::remove_file(&file).expect("our own file");
    }

    #[tokio::test]
    async fn a_login_that_gives_up_takes_its_question_back() {
        let (told, mut screen) = unbounded_channel();
        let prompts = Prompts::new(told);
        let entry = AccountEntry::for_address(&Aor::parse("alice@network.com").expect("an address"));
        let credentials = Arc::new(EntryCredentials::on_screen(&entry, prompts.clone()));
        let login = {
            let credentials = Arc::clone(&credentials);
            tokio::spawn(async move { credentials.credentials(&request("lb", false)).await.is_some() })
        };
        let Some(Msg::PasswordWanted(asked)) = screen.recv().await else { panic!("nobody is asked") };
        login.abort();
        assert!(login.await.is_err(), "it never ended by itself");
        let Ok(Msg::PasswordWithdrawn(id)) = screen.try_recv() else { panic!("nothing is taken back") };
        assert_eq!(id, asked.id);
        assert!(prompts.answer(id, Some(Password::new("late"))).is_none(), "nobody waits for it");
    }

    #[tokio::test]
    async fn a_question_that_is_asked_anew_takes_only_itself_back() {
        let (told, mut screen) = unbounded_channel();
        let prompts = Prompts::new(told);
        let entry = AccountEntry::for_address(&Aor::parse("alice@network.com").expect("an address"));
        let credentials = EntryCredentials::on_screen(&entry, prompts.clone());
        let (first, second) = (request("lb", false), request("hs104", false));
        let person = async {
            let Some(Msg::PasswordWanted(_)) = screen.recv().await else { panic!("nobody is asked") };
            let Some(Msg::PasswordWanted(asked)) = screen.recv().await else { panic!("not asked anew") };
            prompts.answer(asked.id, Some(Password::new("typed")));
        };
        let logins =
            async { tokio::join!(credentials.credentials(&first), credentials.credentials(&second)) };
        let ((gave_up, given), ()) = tokio::join!(logins, person);
        assert!(gave_up.is_none() && given.is_some());
        assert!(screen.try_recv().is_err(), "the question on the screen stays until it is answered");
    }
}
