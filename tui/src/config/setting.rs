//! The table of settings: path, kind, default, meaning. Nothing else in the phone lists settings.

use toml::Value;

/// One row of the tables below.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Dotted path in the file; for account settings inside `[[account]]`.
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
    /// As it is written in TOML; empty where there is none.
    pub(crate) default: &'static str,
    pub(crate) meaning: &'static str,
}

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Integer {
        least: i64,
        most: i64,
    },
    Choice(&'static [&'static str]),
    Text,
    Texts,
    /// The path of a file. In the configuration it counts from that file's folder, typed from the shell's.
    File,
}

impl Setting {
    /// What holds where no layer says anything; none where there is no default.
    pub(crate) fn default_value(&self) -> Option<Value> {
        if self.default.is_empty() {
            return None;
        }
        let line = format!("v = {}", self.default);
        line.parse::<toml::Table>().ok().and_then(|mut table| table.remove("v"))
    }

    /// Reads what a person typed.
    pub(crate) fn parse(&self, text: &str) -> Option<Value> {
        let value = match self.kind {
            Kind::Bool => Value::Boolean(text.parse().ok()?),
            Kind::Integer { .. } => Value::Integer(text.parse().ok()?),
            Kind::Choice(_) | Kind::Text => Value::String(text.to_owned()),
            Kind::File => Value::String(absolute(text)),
            Kind::Texts => Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                    .map(|part| Value::String(part.to_owned()))
                    .collect(),
            ),
        };
        self.admits(&value).then_some(value)
    }

    /// True if the value is of the right kind and in range.
    pub(crate) fn admits(&self, value: &Value) -> bool {
        match self.kind {
            Kind::Bool => value.is_bool(),
            Kind::Integer { least, most } => {
                value.as_integer().is_some_and(|number| (least..=most).contains(&number))
            }
            Kind::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Kind::Text | Kind::File => value.is_str(),
            Kind::Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_str)),
        }
    }

    /// What values it takes, in words.
    pub(crate) fn values(&self) -> String {
        match self.kind {
            Kind::Bool => "true or false".to_owned(),
            Kind::Integer { least, most } => format!("{least} to {most}"),
            Kind::Choice(words) => words.join(", "),
            Kind::Text => "text".to_owned(),
            Kind::File => "the path of a file".to_owned(),
            Kind::Texts => "a list of texts".to_owned(),
        }
    }

    /// True if a change needs a new start of the phone.
    pub(crate) fn needs_restart(&self) -> bool {
        !self.path.starts_with("ui.")
    }
}

/// The settings of the phone.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        path: "ui.color",
        kind: Kind::Choice(&["auto", "never", "16", "256", "true"]),
        default: "\"auto\"",
        meaning: "colours; auto asks NO_COLOR, CLICOLOR, COLORTERM and TERM",
    },
    Setting {
        path: "ui.theme",
        kind: Kind::Choice(&["default", "light", "high-contrast", "colour-blind"]),
        default: "\"default\"",
        meaning: "theme; colour-blind is blue and orange",
    },
    Setting { path: "ui.ascii", kind: Kind::Bool, default: "false", meaning: "draw with ASCII only" },
    Setting {
        path: "ui.reduced_motion",
        kind: Kind::Bool,
        default: "false",
        meaning: "no spinners; a running task says [working]",
    },
    Setting {
        path: "ui.layout",
        kind: Kind::Choice(&["auto", "three-panes", "two-panes", "one-pane", "mini"]),
        default: "\"auto\"",
        meaning: "how much to show at most; what does not fit is left out in any case",
    },
    Setting {
        path: "ui.mouse",
        kind: Kind::Bool,
        default: "true",
        meaning: "clicks and the wheel work; Shift lets the terminal select text as ever",
    },
    Setting {
        path: "ui.announce",
        kind: Kind::Bool,
        default: "false",
        meaning: "say each change as a sentence on standard error, or as a notice of the terminal (OSC 9)",
    },
    Setting {
        path: "ui.ring",
        kind: Kind::Bool,
        default: "true",
        meaning: "ring the bell while a call waits for an answer",
    },
    Setting { path: "ui.bell", kind: Kind::Bool, default: "false", meaning: "ring the bell at warnings" },
    Setting {
        path: "audio.input",
        kind: Kind::Text,
        default: "",
        meaning: "microphone, by the name the sound server gives it; the system's if empty",
    },
    Setting {
        path: "audio.output",
        kind: Kind::Text,
        default: "",
        meaning: "loudspeaker, by the name the sound server gives it; the system's if empty",
    },
    Setting {
        path: "hooks.on_incoming",
        kind: Kind::Text,
        default: "",
        meaning: "program, with arguments, that is run when a call comes in; it reads a line of JSON",
    },
    Setting {
        path: "hooks.on_answer",
        kind: Kind::Text,
        default: "",
        meaning: "program that is run when a call is answered",
    },
    Setting {
        path: "hooks.on_end",
        kind: Kind::Text,
        default: "",
        meaning: "program that is run when a call ends",
    },
    Setting {
        path: "network.name_server",
        kind: Kind::Text,
        default: "",
        meaning: "name server to ask, as address or address:port; the system's if empty",
    },
    Setting {
        path: "network.ca_file",
        kind: Kind::File,
        default: "",
        meaning: "PEM file with certificate authorities trusted besides the system's",
    },
    Setting {
        path: "network.system_roots",
        kind: Kind::Bool,
        default: "true",
        meaning: "trust the system's certificate authorities",
    },
    Setting {
        path: "trace.bytes",
        kind: Kind::Integer { least: 65_536, most: 1 << 30 },
        default: "8388608",
        meaning: "bytes of messages kept for the trace",
    },
];

/// The settings of one `[[account]]`.
pub(crate) const ACCOUNT: &[Setting] = &[
    Setting { path: "aor", kind: Kind::Text, default: "", meaning: "the SIP address, user@domain" },
    Setting {
        path: "calls",
        kind: Kind::Bool,
        default: "true",
        meaning: "the phone makes and takes calls with this account",
    },
    Setting { path: "display", kind: Kind::Text, default: "", meaning: "display name" },
    Setting {
        path: "user",
        kind: Kind::Text,
        default: "",
        meaning: "user name for the login; the user part of the address if empty",
    },
    Setting {
        path: "domain",
        kind: Kind::Text,
        default: "",
        meaning: "Windows domain for NTLM; empty lets the server decide",
    },
    Setting { path: "epid", kind: Kind::Text, default: "", meaning: "stable token of this endpoint" },
    Setting {
        path: "server",
        kind: Kind::Text,
        default: "",
        meaning: "host or host:port to start at; DNS decides if empty",
    },
    Setting {
        path: "transports",
        kind: Kind::Texts,
        default: "[\"tls\"]",
        meaning: "transports allowed, best first: tls, tcp, udp",
    },
    Setting {
        path: "schemes",
        kind: Kind::Texts,
        default: "[\"ntlm\", \"digest\"]",
        meaning: "logins answered: ntlm, digest",
    },
    Setting {
        path: "sni",
        kind: Kind::Choice(&["auto", "domain", "host"]),
        default: "\"auto\"",
        meaning: "whom TLS asks for at the start: the SIP domain and then the host, or one of them only",
    },
    Setting {
        path: "pin_sha256",
        kind: Kind::Texts,
        default: "[]",
        meaning: "SHA-256 of server certificates that are accepted whatever their issuer, name and dates; not for \
                  redirects and a remembered home",
    },
    Setting { path: "allow_md5", kind: Kind::Bool, default: "false", meaning: "answer Digest with MD5" },
    Setting {
        path: "require_qop",
        kind: Kind::Bool,
        default: "false",
        meaning: "answer no Digest challenge without qop, also not with MD5 where that is allowed",
    },
    Setting {
        path: "rspauth",
        kind: Kind::Choice(&["check", "ignore"]),
        default: "\"check\"",
        meaning: "a server whose proof that it knows the password is wrong: the login fails, or it is only told",
    },
    Setting {
        path: "outbound",
        kind: Kind::Choice(&["auto", "off"]),
        default: "\"auto\"",
        meaning: "say that outbound (RFC 5626) is supported; auto leaves it out where a server refuses it",
    },
    Setting {
        path: "register_uri",
        kind: Kind::Choice(&["domain", "server"]),
        default: "\"domain\"",
        meaning: "whom the Request-URI of REGISTER names: the domain (RFC 3261), or the server as in the patent",
    },
    Setting {
        path: "udp_register",
        kind: Kind::Bool,
        default: "false",
        meaning: "register over UDP, which neither encrypts nor verifies",
    },
    Setting {
        path: "target_name",
        kind: Kind::Choice(&["verified", "in_domain"]),
        default: "\"verified\"",
        meaning: "servers a login may be for: those the certificate names, or any inside the domain",
    },
    Setting {
        path: "extended_protection",
        kind: Kind::Choice(&["off", "accept", "require"]),
        default: "\"accept\"",
        meaning: "bind the NTLM login to the server's name and certificate; require refuses servers that cannot",
    },
    Setting {
        path: "signature_places",
        kind: Kind::Choice(&["standard", "patent-too"]),
        default: "\"standard\"",
        meaning: "headers in which a server's signature counts; patent-too adds the places the patent prints",
    },
    Setting {
        path: "expires",
        kind: Kind::Integer { least: 60, most: 86_400 },
        default: "7200",
        meaning: "seconds of registration asked for",
    },
    Setting {
        path: "password_file",
        kind: Kind::File,
        default: "",
        meaning: "file of mode 0600 whose first line is the password",
    },
    Setting {
        path: "password_command",
        kind: Kind::Texts,
        default: "",
        meaning: "program and arguments that print the password",
    },
    Setting {
        path: "password_keyring",
        kind: Kind::Bool,
        default: "false",
        meaning: "the desktop's keyring holds the password, under service homing and this address",
    },
    Setting {
        path: "redirect.limit",
        kind: Kind::Integer { least: 0, most: 5 },
        default: "5",
        meaning: "redirects followed in one login",
    },
    Setting {
        path: "redirect.loops",
        kind: Kind::Choice(&["visited", "strict-patent"]),
        default: "\"visited\"",
        meaning: "what counts as a loop",
    },
    Setting {
        path: "redirect.unsigned",
        kind: Kind::Choice(&["refuse", "follow-over-tls"]),
        default: "\"refuse\"",
        meaning: "redirects without a signature",
    },
    Setting { path: "redirect.also_302", kind: Kind::Bool, default: "false", meaning: "follow 302 like 301" },
    Setting {
        path: "redirect.domains",
        kind: Kind::Texts,
        default: "[]",
        meaning: "domains besides the account's own that may be led to",
    },
    Setting {
        path: "redirect.ip_literals",
        kind: Kind::Texts,
        default: "[]",
        meaning: "networks whose addresses may stand in a redirect, such as 10.0.0.0/8",
    },
    Setting {
        path: "redirect.require_tls",
        kind: Kind::Bool,
        default: "true",
        meaning: "follow redirects over TLS only",
    },
    Setting {
        path: "redirect.consent",
        kind: Kind::Choice(&["rules", "ask"]),
        default: "\"rules\"",
        meaning: "who has the last word on a redirect that passed every rule",
    },
];

/// A path as it stands in the shell, written so that it means the same from everywhere; nothing stays nothing.
fn absolute(text: &str) -> String {
    let path = std::path::absolute(text).ok();
    path.as_deref().and_then(std::path::Path::to_str).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_typed_means_the_same_from_everywhere() {
        let setting = ACCOUNT.iter().find(|setting| setting.path == "password_file").expect("a setting");
        let here = std::env::current_dir().expect("a folder").join("pw");
        let typed = |text: &str| setting.parse(text).and_then(|value| value.as_str().map(str::to_owned));
        assert_eq!(typed("pw").as_deref(), here.to_str());
        assert_eq!(typed("/etc/pw").as_deref(), Some("/etc/pw"));
        assert_eq!(typed("").as_deref(), Some(""));
    }

    #[test]
    fn every_default_is_admitted_by_its_own_kind() {
        for setting in SETTINGS.iter().chain(ACCOUNT) {
            if !setting.default.is_empty() {
                let value = setting.default_value();
                assert!(value.is_some_and(|value| setting.admits(&value)), "{}", setting.path);
            }
        }
    }
}
