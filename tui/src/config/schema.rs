//! The JSON schema of the file, made from the table of settings, for editors.

use serde_json::{Map, Value, json};

use crate::config::{ACCOUNT, Kind, SETTINGS, Setting};

/// The JSON schema (draft 2020-12) of the configuration file.
pub(crate) fn schema() -> Value {
    let mut root = object(SETTINGS);
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("Homing");
    root["properties"]["account"] = json!({ "type": "array", "items": object(ACCOUNT) });
    root
}

fn object(settings: &[Setting]) -> Value {
    let mut properties = Map::new();
    for setting in settings {
        match setting.path.split_once('.') {
            Some((group, name)) => {
                let group = properties.entry(group).or_insert_with(
                    || json!({ "type": "object", "properties": {}, "additionalProperties": false }),
                );
                group["properties"][name] = leaf(setting);
            }
            None => {
                properties.insert(setting.path.to_owned(), leaf(setting));
            }
        }
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn leaf(setting: &Setting) -> Value {
    let mut leaf = match setting.kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Integer { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Choice(words) => json!({ "type": "string", "enum": words }),
        Kind::Text | Kind::File => json!({ "type": "string" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
    };
    leaf["description"] = json!(setting.meaning);
    if let Some(default) = setting.default_value().and_then(|value| serde_json::to_value(value).ok()) {
        leaf["default"] = default;
    }
    leaf
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_setting_stands_in_the_schema() {
        let schema = super::schema();
        assert_eq!(schema["properties"]["ui"]["properties"]["theme"]["default"], "default");
        let account = &schema["properties"]["account"]["items"]["properties"];
        assert_eq!(account["redirect"]["properties"]["limit"]["maximum"], 5);
    }
}
