//! What is remembered about the app on this device; nothing of it is synced.

use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use tombolo_core::{Code, Error, Result, RowId};

/// The file in the config folder.
pub(crate) const FILE: &str = "settings.json";

const ZOOM: RangeInclusive<u16> = 50..=200;
const SIDEBAR_WIDTH: RangeInclusive<u16> = 200..=400;

/// Which colours the windows have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    /// As the system has them.
    #[default]
    System,
    Light,
    Dark,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) theme: Theme,
    /// In percent.
    #[serde(deserialize_with = "zoom")]
    pub(crate) zoom: u16,
    /// In pixels.
    #[serde(deserialize_with = "sidebar_width")]
    pub(crate) sidebar_width: u16,
    pub(crate) sidebar_collapsed: bool,
    /// The page that was open last in the main window.
    pub(crate) last_page: Option<RowId>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            zoom: 100,
            sidebar_width: 248,
            sidebar_collapsed: false,
            last_page: None,
        }
    }
}

/// Some of the settings: what is not named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Changes {
    theme: Option<Theme>,
    zoom: Option<u16>,
    sidebar_width: Option<u16>,
    sidebar_collapsed: Option<bool>,
    /// `null` forgets the page.
    #[serde(deserialize_with = "present")]
    last_page: Option<Option<RowId>>,
}

impl Changes {
    /// # Errors
    /// `INVALID_DATA`, with the name of the field that is out of its bounds.
    pub(crate) fn check(&self) -> Result<()> {
        let bounded = [("zoom", self.zoom, ZOOM), ("sidebar_width", self.sidebar_width, SIDEBAR_WIDTH)];
        for (field, value, bounds) in bounded {
            if let Some(value) = value.filter(|value| !bounds.contains(value)) {
                let message =
                    format!("{field} is {value}, not within {} and {}", bounds.start(), bounds.end());
                return Err(Error::new(Code::InvalidData, message).with("field", field));
            }
        }
        Ok(())
    }

    pub(crate) fn apply(self, settings: &mut Settings) {
        let Self { theme, zoom, sidebar_width, sidebar_collapsed, last_page } = self;
        settings.theme = theme.unwrap_or(settings.theme);
        settings.zoom = zoom.unwrap_or(settings.zoom);
        settings.sidebar_width = sidebar_width.unwrap_or(settings.sidebar_width);
        settings.sidebar_collapsed = sidebar_collapsed.unwrap_or(settings.sidebar_collapsed);
        settings.last_page = last_page.unwrap_or(settings.last_page);
    }
}

/// Tells a field that is `null` from one that is not there.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn zoom<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    within(deserializer, ZOOM)
}

fn sidebar_width<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    within(deserializer, SIDEBAR_WIDTH)
}

fn within<'de, D: Deserializer<'de>>(deserializer: D, bounds: RangeInclusive<u16>) -> Result<u16, D::Error> {
    let value = u16::deserialize(deserializer)?;
    let out = || D::Error::custom(format!("{value} is not within {} and {}", bounds.start(), bounds.end()));
    bounds.contains(&value).then_some(value).ok_or_else(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const PAGE: &str = "0190a6b2-7c1e-7000-8000-000000000001";

    fn changed(changes: Value) -> Settings {
        let changes: Changes = serde_json::from_value(changes).unwrap();
        changes.check().unwrap();
        let mut settings = Settings { last_page: Some(PAGE.parse().unwrap()), ..Settings::default() };
        changes.apply(&mut settings);
        settings
    }

    #[test]
    fn only_what_a_change_names_is_changed() {
        let before = changed(json!({}));
        assert_eq!(changed(json!({"theme": "dark"})), Settings { theme: Theme::Dark, ..before.clone() });
        assert_eq!(changed(json!({"zoom": 50})), Settings { zoom: 50, ..before.clone() });
        assert_eq!(changed(json!({"sidebar_width": 400})), Settings { sidebar_width: 400, ..before.clone() });
        assert_eq!(
            changed(json!({"sidebar_collapsed": true})),
            Settings { sidebar_collapsed: true, ..before.clone() }
        );
        assert_eq!(changed(json!({"last_page": null})), Settings { last_page: None, ..before });
    }

    #[test]
    fn a_file_may_name_less_and_more_than_is_known() {
        let read: Settings = serde_json::from_value(json!({"zoom": 120, "of_a_later_version": 1})).unwrap();
        assert_eq!(read, Settings { zoom: 120, ..Settings::default() });
    }

    #[test]
    fn a_file_with_values_out_of_bounds_is_not_understood() {
        for broken in [json!({"zoom": 20}), json!({"sidebar_width": 5_000}), json!({"last_page": "first"})] {
            serde_json::from_value::<Settings>(broken).unwrap_err();
        }
    }
}
