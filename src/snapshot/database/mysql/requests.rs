//! Requests that a site had let in before it showed its maintenance page: they still write what their visitors are told is
//! accepted.
//!
//! May use: `remote`, and its siblings. Invariants: nothing is changed; the wait has an end.

use super::super::super::Source;
use super::super::super::error::{Result, SnapshotError};
use super::{ASK, DatabaseAccess, failure, values};
use crate::remote::{Command, RawInput};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// Other connections of the site's account to its database. One that has slept for long belongs to no request.
const OPEN: &str = "SELECT ID FROM information_schema.PROCESSLIST WHERE ID<>CONNECTION_ID() AND DB=DATABASE() AND \
     USER=SUBSTRING_INDEX(USER(),'@',1) AND NOT (COMMAND='Sleep' AND TIME>60);\n";
const DOING: &str = "looking for open requests in";
/// How long a request may take from the look at the maintenance switch to its connection.
const CONNECTS: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(300);
/// How long requests are waited for.
const LONGEST: Duration = Duration::from_secs(20);

/// Waits until the connections that are open now are closed.
pub(in super::super) async fn let_requests_end(source: &Source, access: &DatabaseAccess) -> Result<()> {
    let until = Instant::now() + LONGEST;
    tokio::time::sleep(CONNECTS).await;
    let mut open = connections(source, access).await?;
    while !open.is_empty() && Instant::now() < until {
        tokio::time::sleep(PAUSE).await;
        let now = connections(source, access).await?;
        open.retain(|one| now.contains(one));
    }
    Ok(())
}

async fn connections(source: &Source, access: &DatabaseAccess) -> Result<BTreeSet<u64>> {
    let host = source.shell.host();
    let command = Command::script(ASK, values(access, [access.name.clone()])).reading(RawInput::Bytes(OPEN.into()));
    let output = source.shell.run(&command).await.map_err(SnapshotError::remote(host, DOING))?;
    if !output.ok() {
        return Err(failure(host, access, DOING, &output));
    }
    Ok(output.text().lines().filter_map(|line| line.trim().parse().ok()).collect())
}
