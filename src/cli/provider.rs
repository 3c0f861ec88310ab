//! Who does the work, as the settings say it.

use super::{ExitCode, Failure};
use crate::report::{Colour, MAX_LOGO_BYTES, MAX_TEMPLATE_BYTES, Picture, Provider, ProviderError, Templates};
use serde::Deserialize;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The part of the settings file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ProviderFile {
    name: Option<String>,
    contact: Option<String>,
    address: Vec<String>,
    logo: Option<PathBuf>,
    accent: Option<String>,
    accent_dark: Option<String>,
    templates: Option<PathBuf>,
}

/// What is in force. Logo and templates are read when a report is made: a run needs none of them.
#[derive(Debug, Clone, Default)]
pub(super) struct ProviderSettings {
    plain: Provider,
    logo: Option<PathBuf>,
    templates: Option<PathBuf>,
}

impl ProviderFile {
    /// The settings in force; relative paths count from `folder`.
    pub(super) fn resolve(self, folder: &Path) -> Result<ProviderSettings, Failure> {
        let colour = |key: &str, text: Option<String>, read: fn(&str) -> Result<Colour, ProviderError>| {
            let read = text.map(|text| read(&text)).transpose();
            read.map_err(|error| Failure { code: ExitCode::INVALID, text: format!("provider.{key}: {error}") })
        };
        Ok(ProviderSettings {
            plain: Provider {
                name: self.name,
                contact: self.contact,
                address: self.address,
                accent: colour("accent", self.accent, Colour::on_white)?,
                accent_dark: colour("accent-dark", self.accent_dark, Colour::on_dark)?,
                ..Provider::default()
            },
            logo: self.logo.map(|path| folder.join(path)),
            templates: self.templates.map(|path| folder.join(path)),
        })
    }
}

impl ProviderSettings {
    /// With the logo and the templates.
    pub(super) fn open(&self) -> Result<Provider, Failure> {
        let mut provider = self.plain.clone();
        if let Some(file) = &self.logo {
            let invalid = |why: String| invalid("provider.logo", file, &why);
            let bytes = read(file, MAX_LOGO_BYTES).map_err(|error| invalid(error.to_string()))?;
            provider.logo = Some(Picture::png(bytes).map_err(|error| invalid(error.to_string()))?);
        }
        if let Some(folder) = &self.templates {
            provider.templates = templates(folder)?;
        }
        Ok(provider)
    }
}

/// Every `.hbs` file of the folder takes the place of one of ours.
fn templates(folder: &Path) -> Result<Templates, Failure> {
    let wrong = |path: &Path, why: String| invalid("provider.templates", path, &why);
    let mut templates = Templates::default();
    let entries = std::fs::read_dir(folder).map_err(|error| wrong(folder, error.to_string()))?;
    for entry in entries {
        let path = entry.map_err(|error| wrong(folder, error.to_string()))?.path();
        if path.extension().is_none_or(|end| end != "hbs") {
            continue;
        }
        let bytes = read(&path, MAX_TEMPLATE_BYTES).map_err(|error| wrong(&path, error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| wrong(&path, "it is not UTF-8".into()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        templates.add(&name, text).map_err(|error| wrong(&path, error.to_string()))?;
    }
    Ok(templates)
}

/// One byte more than is allowed, so that what is too long is seen to be.
fn read(file: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn invalid(key: &str, path: &Path, why: &str) -> Failure {
    Failure { code: ExitCode::INVALID, text: format!("{key}: {}: {why}", path.display()) }
}
