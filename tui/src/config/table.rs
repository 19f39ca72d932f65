//! Values of a TOML table by their dotted path.

use toml::{Table, Value};

/// The value at a dotted path.
pub(crate) fn look_up<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    match path.split_once('.') {
        Some((head, rest)) => look_up(table.get(head)?.as_table()?, rest),
        None => table.get(path),
    }
}

/// Puts a value at a dotted path.
pub(crate) fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        Some((head, rest)) => {
            let inner = table.entry(head).or_insert_with(|| Value::Table(Table::new()));
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            if let Some(inner) = inner.as_table_mut() {
                put(inner, rest, value);
            }
        }
        None => {
            table.insert(path.to_owned(), value);
        }
    }
}
