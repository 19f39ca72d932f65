//! Scripts of registrars that went wrong with a real client: one case, its rules, what must be true of it.

use serde_json::{Map, Value};

/// One conversation: how the client is configured, how the registrar answers, what must be true.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) client: Map<String, Value>,
    pub(crate) rules: Vec<Rule>,
    /// What happens once registered.
    pub(crate) then: Vec<Value>,
    pub(crate) expect: Map<String, Value>,
    pub(crate) dns: Map<String, Value>,
    /// The names in the server's certificate.
    pub(crate) certificate: Vec<String>,
}

/// A rule of the registrar: the first whose conditions hold answers.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) when: Map<String, Value>,
    /// None is silence.
    pub(crate) reply: Option<Map<String, Value>>,
}

/// The cases of a file; `defaults.client` stands under each client.
pub(crate) fn cases(text: &str) -> Vec<Case> {
    let file: Value = serde_json::from_str(text).expect("a file of cases is JSON");
    let defaults = object(&file["defaults"]["client"]);
    let cases = file["cases"].as_array().expect("a list of cases");
    cases.iter().map(|case| Case::read(case, &defaults)).collect()
}

impl Case {
    fn read(case: &Value, defaults: &Map<String, Value>) -> Self {
        let mut client = defaults.clone();
        client.extend(object(&case["client"]));
        let rules = case["server"]["rules"].as_array().cloned().unwrap_or_default();
        let certificate = case["tls"]["certificate"].as_str().unwrap_or_default();
        let names = certificate.split([',', ' ']).filter_map(|word| word.strip_prefix("DNS:"));
        Case {
            id: case["id"].as_str().expect("an id").to_owned(),
            client,
            rules: rules.iter().map(Rule::read).collect(),
            then: case["then"].as_array().cloned().unwrap_or_default(),
            expect: object(&case["expect"]),
            dns: object(&case["dns"]),
            certificate: names.map(str::to_owned).collect(),
        }
    }

    /// A text of the client's configuration; none where it is null.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.client.get(key).and_then(Value::as_str).map(str::to_owned)
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.client.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(crate) fn seconds(&self, key: &str) -> Option<f64> {
        self.client.get(key).and_then(Value::as_f64)
    }

    /// The password as the first line of its file.
    pub(crate) fn password(&self) -> String {
        let given = &self.client["password"];
        given["file"].as_str().map_or("secret", |text| text.trim_end_matches('\n')).to_owned()
    }

    /// How long a person takes to type the password.
    pub(crate) fn typed_after(&self) -> Option<f64> {
        self.client["password"]["typed_after_s"].as_f64()
    }

    /// The same case for another address of record and what is expected of that one.
    pub(crate) fn variants(&self) -> Vec<Case> {
        let Some(each) = self.expect.get("each").and_then(Value::as_array) else {
            return vec![self.clone()];
        };
        let variant = |one: &Value| {
            let mut case = self.clone();
            case.client.insert("aor".into(), one["aor"].clone());
            case.expect = Map::new();
            case.expect.insert("state".into(), "registered".into());
            let from = one["from_uri"].clone();
            let request = serde_json::json!({"nth": 1, "from_uri": from.clone(), "to_uri": from});
            case.expect.insert("request".into(), request);
            case
        };
        each.iter().map(variant).collect()
    }
}

impl Rule {
    fn read(rule: &Value) -> Self {
        Rule { when: object(&rule["when"]), reply: rule["reply"].as_object().cloned() }
    }

    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.when.get(key).and_then(Value::as_f64)
    }
}

/// The members of an object; none of anything else.
pub(crate) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// A text or a list of texts.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
