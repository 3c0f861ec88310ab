//! Tools that a host lacks: from a cache on this machine or the playbook's address, verified,
//! placed in the private folder.

use super::{Site, SiteError, host};
use crate::model::in_words;
use crate::playbook::Bring;
use crate::remote::{Command, RawInput};
use sha2::{Digest as _, Sha512};
use std::path::PathBuf;
use std::time::Duration;

/// Where tools are kept on this machine.
#[derive(Debug, Clone)]
pub struct ToolCache {
    /// A folder; it is made when something is downloaded.
    pub folder: PathBuf,
}

/// The largest tool, in bytes.
const MAX_TOOL_BYTES: usize = 64 << 20;

impl ToolCache {
    fn place(&self, bring: &Bring) -> PathBuf {
        self.folder.join(format!("{}-{}", bring.version, bring.file.as_str()))
    }

    /// The tool's bytes, verified.
    async fn fetch(&self, bring: &Bring) -> Result<Vec<u8>, String> {
        let place = self.place(bring);
        if let Ok(bytes) = tokio::fs::read(&place).await {
            verify(&bytes, bring).map_err(|why| format!("{}: {why}", place.display()))?;
            return Ok(bytes);
        }
        let bytes = download(bring.url.as_str()).await?;
        verify(&bytes, bring).map_err(|why| format!("{}: {why}", bring.url.as_str()))?;
        let kept = tokio::fs::create_dir_all(&self.folder).await;
        let draft = place.with_extension(format!("{}.part", std::process::id()));
        let kept = match kept {
            Ok(()) => tokio::fs::write(&draft, &bytes).await,
            error => error,
        };
        let kept = match kept {
            Ok(()) => tokio::fs::rename(&draft, &place).await,
            error => error,
        };
        if let Err(error) = kept {
            tracing::warn!(%error, place = %place.display(), "the tool could not be kept for next time");
        }
        Ok(bytes)
    }
}

fn verify(bytes: &[u8], bring: &Bring) -> Result<(), String> {
    let found = hex(&Sha512::digest(bytes));
    if found == bring.sha512.as_str() {
        return Ok(());
    }
    Err(format!("its SHA-512 is {}…, not the playbook's {}…", &found[..16], &bring.sha512.as_str()[..16]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn download(url: &str) -> Result<Vec<u8>, String> {
    let client = reqwest::Client::builder()
        .https_only(true)
        .timeout(Duration::from_secs(120))
        .build()
        .map_err(|error| error.to_string())?;
    let failed = |error: reqwest::Error| format!("{url} could not be downloaded ({})", in_words(&error.without_url()));
    let mut answer = client.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_TOOL_BYTES {
            return Err(format!("{url} is larger than {MAX_TOOL_BYTES} bytes"));
        }
    }
    Ok(bytes)
}

/// `$1` folder, `$2` file name, `$3` SHA-512.
const PLACE: &str = r#"tar -xmf - -C "$1" || exit 1
if command -v sha512sum >/dev/null 2>&1; then
printf '%s  %s\n' "$3" "$1/$2" | sha512sum -c - >/dev/null || { rm -f -- "$1/$2"; exit 2; }
fi"#;

/// Places the tool in the site's private folder and returns its path there.
pub(super) async fn place(site: &Site, bring: &Bring, cache: &ToolCache) -> Result<String, SiteError> {
    let file = bring.file.as_str();
    let refused = |why: String| SiteError::NoBring {
        site: site.address.name.clone(),
        file: file.to_owned(),
        why,
        place: cache.place(bring).display().to_string(),
    };
    let bytes = cache.fetch(bring).await.map_err(refused)?;
    let mut archive = tar::Builder::new(Vec::new());
    host::append(&mut archive, file, &bytes).map_err(|error| refused(error.to_string()))?;
    let archive = archive.into_inner().map_err(|error| refused(error.to_string()))?;
    let values = [site.host.folder.as_str(), file, bring.sha512.as_str()];
    let command = Command::script(PLACE, values).reading(RawInput::Bytes(archive)).within(Duration::from_secs(300));
    let output = site.shell.run(&command).await?;
    match output.status {
        0 => Ok(format!("{}/{file}", site.host.folder)),
        2 => Err(refused("it arrived there with another checksum".into())),
        _ => Err(refused(output.tail())),
    }
}
