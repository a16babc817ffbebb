//! The settings that a journal was written under. It does not have them: its snapshot does, if there is one, or a person says them.

use crate::error::PastError;
use downbeat_kernel::{Config, PoolConfig};
use downbeat_shell::{ShellConfig, settings_in};
use downbeat_store::Store;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;

/// Where settings come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A person gave them.
    Given,
    /// A snapshot was taken under them.
    Snapshot,
    /// Nobody says: they are those that a shell has by default.
    Default,
}

/// The settings of a store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) config: ShellConfig,
    pub(crate) source: Source,
}

/// What a person may say. What is left out is as by default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    shards: Option<u32>,
    #[serde(default)]
    kernel: Map<String, Value>,
    pool: Option<Map<String, Value>>,
}

impl Settings {
    /// Those that a file says, or else the snapshot of a shard; or else those by default, and as many shards as the store has.
    pub(crate) async fn find(store: &dyn Store, file: Option<&Path>) -> Result<Self, PastError> {
        let shards = store.shards().await?;
        let count = shards.last().ok_or(PastError::Empty)?.0 + 1;
        let mut kept = None;
        for shard in shards {
            kept = kept.or(store.snapshot(shard).await?.as_ref().and_then(settings_in));
        }
        let Some(path) = file else {
            let found = kept.map(|config| Self { config, source: Source::Snapshot });
            let config = ShellConfig { shards: count, ..ShellConfig::default() };
            return Ok(found.unwrap_or(Self { config, source: Source::Default }));
        };
        let unread = |source| PastError::SettingsFile { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(unread)?;
        let no_settings = |source| PastError::Settings { path: path.to_owned(), source };
        let config = given(&bytes, count).map_err(no_settings)?;
        match kept.map(|kept| differences(&config, &kept)) {
            Some(differ) if !differ.is_empty() => Err(PastError::OtherSettings { differ }),
            Some(_) | None => Ok(Self { config, source: Source::Given }),
        }
    }
}

fn given(bytes: &[u8], shards: u32) -> Result<ShellConfig, serde_json::Error> {
    let given: Given = serde_json::from_slice(bytes)?;
    Ok(ShellConfig {
        shards: given.shards.unwrap_or(shards).max(1),
        kernel: over(&Config::default(), given.kernel)?,
        pool: given.pool.map(|pool| over(&PoolConfig::default(), pool)).transpose()?,
        ..ShellConfig::default()
    })
}

/// Settings with some of them changed.
pub(crate) fn over<T: Serialize + DeserializeOwned>(
    default: &T,
    changed: Map<String, Value>,
) -> Result<T, serde_json::Error> {
    let mut all = fields(default);
    for (name, value) in changed {
        if !all.contains_key(&name) {
            return Err(serde_json::Error::custom(format!("there is no setting `{name}`")));
        }
        all.insert(name, value);
    }
    serde_json::from_value(Value::Object(all))
}

/// The settings as their names and numbers.
fn fields<T: Serialize>(settings: &T) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | Err(_) => {
            unreachable!("settings are a struct of numbers")
        }
    }
}

/// What is not as by default, in the order of the names.
pub(crate) fn changed<T: Serialize + Default>(settings: &T) -> Vec<(String, Value)> {
    let default = fields(&T::default());
    let mut changed: Vec<_> =
        fields(settings).into_iter().filter(|(name, value)| default.get(name) != Some(value)).collect();
    changed.sort_by(|(a, _), (b, _)| a.cmp(b));
    changed
}

fn differences(given: &ShellConfig, kept: &ShellConfig) -> Vec<String> {
    let mut differ = Vec::new();
    if given.shards != kept.shards {
        differ.push(format!("shards is {}", kept.shards));
    }
    let mut compare = |prefix: &str, given: Map<String, Value>, kept: Map<String, Value>| {
        let others = kept.into_iter().filter(|(name, value)| given.get(name) != Some(value));
        let mut others: Vec<_> = others.map(|(name, value)| format!("{prefix}{name} is {value}")).collect();
        others.sort();
        differ.extend(others);
    };
    compare("", fields(&given.kernel), fields(&kept.kernel));
    match (&given.pool, &kept.pool) {
        (Some(given), Some(kept)) => compare("pool: ", fields(given), fields(kept)),
        (None, Some(_)) => differ.push("there is a pool".to_owned()),
        (Some(_), None) => differ.push("there is no pool".to_owned()),
        (None, None) => {}
    }
    differ
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_by_default_with_what_is_said() {
        let config = given(br#"{"kernel":{"attempts_max":16},"pool":{"quota":2}}"#, 3).expect("settings");
        let kernel = Config { attempts_max: 16, ..Config::default() };
        let pool = Some(PoolConfig { quota: 2, ..PoolConfig::default() });
        assert_eq!(config, ShellConfig { shards: 3, kernel, pool, ..ShellConfig::default() });
        assert_eq!(changed(&kernel), [("attempts_max".to_owned(), Value::from(16))]);
        #[rustfmt::skip]
        let cases = [
            (r#"{"kernel":{"atempts_max":16}}"#, "there is no setting `atempts_max`"),
            (r#"{"kernel":{"attempts_max":-1}}"#, "invalid value: integer `-1`, expected u16"),
            (r#"{"agents":{}}"#,                  "unknown field `agents`, expected one of `shards`, `kernel`, `pool` at line 1 column 9"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                given(text.as_bytes(), 1).map_err(|error| error.to_string()),
                Err(expected.to_owned())
            );
        }
    }

    #[test]
    fn settings_that_a_snapshot_contradicts_are_named() {
        let kept = ShellConfig { pool: Some(PoolConfig::default()), shards: 2, ..ShellConfig::default() };
        let kernel = Config { grace_ms: 1, ..Config::default() };
        let given = ShellConfig { kernel, ..ShellConfig::default() };
        assert_eq!(differences(&given, &kept), ["shards is 2", "grace_ms is 10000", "there is a pool"]);
        assert_eq!(differences(&kept, &kept), [""; 0]);
    }
}
