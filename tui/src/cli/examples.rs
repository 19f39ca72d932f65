//! What stands below the help of the verbs: how they are typed, each line ready to be tried.

pub(super) const INIT: &str = "Examples:
  homing init alice@corp.example
  homing init alice@corp.example --password-command 'pass show sip' --json
  homing init alice@corp.example --server sip1.corp.example:5061 --keep-anyway";

pub(super) const LOGIN: &str = "Examples:
  homing login                                       the account of the configuration, once;
                                                     a running phone refreshes instead
  homing login --new-endpoint                        the same, and the phone is left alone
  homing login alice@corp.example --password-file ~/.sip
  homing login --watch --json                        one line per change, until Ctrl-C
  homing login --wait registered,10s                 exit 0 once registered, else 11
  homing login --trace login.pcap                    the conversation, for Wireshark";

pub(super) const LOGOUT: &str = "Examples:
  homing logout alice@corp.example                   exit 0 once the server removed the registration,
                                                     8 if it refused, 9 if it did not answer";

pub(super) const ATTACH: &str = "Examples:
  homing attach                                      every account of every running phone
  homing attach alice@corp.example --json            one event per line, for programs";

pub(super) const OPTIONS: &str = "Examples:
  homing options                                     the home server of the account
  homing options sip:bob@corp.example                through the home server
  homing options sips:sip.corp.example:5061 --direct";

pub(super) const CALL: &str = "Examples:
  homing call echo@corp.example --play greeting.wav --record heard.wav
  homing call bob@corp.example --dtmf '1*2#' --duration 30s --json
  homing call sip:busy@corp.example --expect 486     exit 0 if it is busy, else 11";

pub(super) const RESOLVE: &str = "Examples:
  homing resolve corp.example
  homing resolve alice@corp.example --transport tls,tcp,udp";

pub(super) const ACCOUNT: &str = "Examples:
  homing account add alice@corp.example --password-file ~/.sip
  homing account edit alice@corp.example redirect.limit 3
  homing account test alice@corp.example
  homing account rm alice@corp.example";

pub(super) const CONFIG: &str = "Examples:
  homing config show --origin
  homing config set ui.theme light
  HOMING__UI__THEME=light homing config check";

pub(super) const TRACE: &str = "Examples:
  homing login --trace login.jsonl
  homing trace export login.jsonl login.pcap
  homing trace export login.jsonl login.mmd";

pub(super) const VERIFY: &str =
    "The password is the account's; it is asked for if nothing else is said. A capture must hold the
conversation in the clear: TCP, UDP, or decrypted TLS. A saved trace never holds secrets, so that
little of it can be verified.

Examples:
  homing verify capture.pcap
  homing verify server.log --password-file ~/.sip --json";

pub(super) const COMPLETIONS: &str = "Examples:
  source <(homing completions bash)
  homing completions zsh > ~/.zfunc/_homing
  homing completions fish > ~/.config/fish/completions/homing.fish";

pub(super) const MAN: &str = "Examples:
  homing man | man -l -
  homing man redirect trace > homing-redirect-trace.1";
