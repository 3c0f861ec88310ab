//! `intendant snapshot encrypt`.

use crate::cli::arguments::Common;
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::model::human_bytes;
use crate::snapshot::{self, Encryption, NoProgress, Store};
use serde_json::json;
use std::sync::Arc;

pub(super) async fn encrypt(common: &Common, fleet: &Fleet, to: &[String], rewrite: bool) -> Result<ExitCode, Failure> {
    let store = Arc::new(fleet.any_store()?);
    let done = snapshot::encrypt(&store, to, rewrite, &(Arc::new(NoProgress) as _)).await?;
    let left = done.rewritten.as_ref().map(|pruned| pruned.left.clone()).unwrap_or_default();
    if common.json {
        let mut told = as_json(&done.now);
        told["packs-rewritten"] = json!(done.rewritten.as_ref().map(|pruned| pruned.packs_repacked));
        told["left"] = json!(left);
        show::json(&told);
    } else {
        if let Some(pruned) = &done.rewritten {
            show::line(format!(
                "{} packs written again, {} freed",
                pruned.packs_repacked,
                human_bytes(pruned.bytes_freed)
            ));
        }
        left.iter().for_each(|left| show::line(format!("left: {left}")));
        in_words(&done.now).iter().for_each(show::line);
    }
    if !to.is_empty()
        && let Err(error) = store.readable()
    {
        show::remark(format!("note: {}", crate::model::in_words(&error)));
    }
    Ok(if left.is_empty() { ExitCode::OK } else { ExitCode::SHORT })
}

/// How a store is encrypted, for machines.
pub(super) fn as_json(encryption: &Encryption) -> serde_json::Value {
    json!({
        "recipients": encryption.recipients, "former-recipients": encryption.former,
        "plain-packs": encryption.plain_packs, "plain-manifests": encryption.plain_manifests,
    })
}

/// How a store is encrypted.
pub(super) fn in_words(encryption: &Encryption) -> Vec<String> {
    if encryption.recipients.is_empty() {
        return vec!["the store is not encrypted".into()];
    }
    let mut lines = vec![format!("the store is encrypted to {}", encryption.recipients.join(", "))];
    let (packs, manifests) = (encryption.plain_packs, encryption.plain_manifests);
    if packs + manifests > 0 {
        lines.push(format!(
            "not encrypted, because they are older: {packs} packs, {manifests} manifests; intendant snapshot encrypt --rewrite"
        ));
    }
    for former in &encryption.former {
        lines.push(format!(
            "what is older may be encrypted to {} only; intendant snapshot encrypt --rewrite",
            former.join(", ")
        ));
    }
    lines
}

/// What `list` says under its table: nothing where nothing is encrypted.
pub(super) fn remarks(store: &Store) -> Result<Option<Encryption>, Failure> {
    match store.recipients()?.is_empty() {
        true => Ok(None),
        false => Ok(Some(store.encryption()?)),
    }
}
