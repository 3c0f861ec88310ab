# The audit, in English. Keys are the same in every language; a test compares them.

## The page
audit-title = Audit of { $date }
audit-heading = Audit of the maintenance plans
audit-score = Score
audit-score-of = { $score } of 100
audit-sites = { $count ->
    [one] Site
   *[other] Sites
}
audit-sentence-none = Nothing falls short, as far as could be looked at.
audit-sentence = { $count ->
    [one] One thing falls short.
   *[other] { $shown } things fall short.
}
audit-sentence-waived = { $count ->
    [one] One more is answered for by somebody, see below.
   *[other] { $shown } more are answered for by somebody, see below.
}
audit-sentence-unknown = Not everything could be looked at, see below.
audit-outcome-good = In order
audit-outcome-low = In order, with some remarks
audit-outcome-medium = Some things have to be seen to
audit-outcome-bad = Something has to be done now
audit-severity = { $severity ->
    [critical] Critical
    [high] High
    [medium] Medium
   *[low] Low
}
audit-history = The score over time
audit-history-caption = { $count } days with an audit, from { $from } to { $to }: the lowest score was { $least }, the last one is { $last } of 100.
audit-rules = By rule
audit-column-severity = Severity
audit-column-rule = Rule
audit-column-findings = Findings
audit-means = What it means:
audit-todo = To do:
audit-fleet = the fleet
audit-more-findings = { $count ->
    [one] and one more
   *[other] and { $shown } more
}
audit-waived-title = Answered for
audit-waived-by = { $owner } answers for it until { $day }: { $why }
audit-unknown-title = What could not be looked at

## Evidence
audit-why = { $why }
audit-more = { $count ->
    [one] and one more
   *[other] and { $count } more
}
audit-last-run = last run { $at }: { $outcome ->
    [completed] completed
    [completed-with-holds] completed, with holds
    [restored] put back
    [refused] refused
    [stuck] stuck
   *[open] not finished
}
audit-no-run = no run is known that began
audit-backups-there = { $count ->
    [one] the store holds one snapshot of it
   *[other] the store holds { $count } snapshots of it
}
audit-nothing-recorded = the journal has no run and no intake of it
audit-neighbours = { $count ->
    [0] no plan is for a site on { $host }
    [one] one plan is for a site on { $host }, none for this one
   *[other] { $count } plans are for sites on { $host }, none for this one
}
audit-intake-none = the plan names no intake
audit-intake-refused = the assessment { $record } says that the site may not enter its plan
audit-intake-unknown = the journal knows no assessment { $record }
audit-cap-over = { $count } extensions count, the plan covers { $cap }; the tier { $tier ->
    [base] Base
    [advanced] Advanced
    [custom] Custom
   *[other] { $tier }
} would cover them
audit-cap-near = { $count } extensions count, the plan covers { $cap }
audit-contract-ended = the contract { $number } ended on { $day }
audit-contract-ends = the contract { $number } ends on { $day }
audit-licence-held = { $installed } is installed, { $offered } is offered without a package
audit-pool-ended = its licences come from { $pool }, which ended on { $day }
audit-pool-used = { $count } sites take from it, it has { $seats } licences
audit-hold-ended = the hold ended on { $day }: { $why }
audit-notice-waits = notice { $notice }, about version { $version }, waits since { $at }
audit-notice-gone = notice { $notice }, about version { $version }, expired { $at }
audit-anomaly-waits = anomaly { $anomaly } waits since { $at }
audit-window = { $count ->
    [one] the window of { $at } is over
   *[other] the window of { $at } is over, and { $count } in a row were missed
}
audit-refused = a run was refused: { $why }
audit-vulnerability-fixed = { $name }: version { $version } closes it
audit-vulnerability-open = { $name }: nothing that is offered closes it
audit-late-open = { $count ->
    [one] { $name } is open for one hour, { $within } are promised
   *[other] { $name } is open for { $count } hours, { $within } are promised
}
audit-late-closed = { $count ->
    [one] { $name } was closed after one hour, { $within } are promised
   *[other] { $name } was closed after { $count } hours, { $within } are promised
}
audit-held = its update waits for { $who ->
    [operator] whoever runs Intendant
    [client] the client
    [host] the hosting provider
    [vendor] its author
   *[time] a later run
}
audit-train-ended = the train { $train } was mended until { $day }
audit-train-ends = the train { $train } is mended until { $day }
audit-files = { $count ->
    [0] its files differ
    [one] one file differs: { $names }
   *[other] { $count } files differ: { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    }
}
audit-drift = { $count ->
    [one] one change, seen { $at }
   *[other] { $count } changes, seen { $at }
}
audit-drift-change = { $kind ->
    [version] another version
    [extension-added] extension added
    [extension-removed] extension removed
    [extension-version] another version of an extension
    [extension-activated] extension switched on
    [extension-deactivated] extension switched off
    [administrator-added] administrator’s rights given
    [administrator-removed] administrator’s rights taken away
    [administrator-contact] another e-mail address of an administrator
    [table-added] added to the database
    [table-removed] removed from the database
    [table-changed] structure changed in the database
    [file-added] file added
    [file-removed] file removed
    [file-changed] file changed
    [file-rights] other rights of a file
    [address] another address of the site
   *[not-compared] not compared
}: { $subject }
audit-backup-none = the store holds no snapshot of it
audit-backup-newest = the newest snapshot is of { $at }
audit-backup-verified = the newest one that is known to be whole is of { $at }
audit-backup-never-verified = none is known to be whole
audit-never-rehearsed = no restore was rehearsed
audit-rehearsal-failed = the rehearsal of { $at } failed (snapshot { $snapshot })
audit-rehearsal-old = the last proven restore was { $at }
audit-waiver-over = { $owner } answered for it until { $day }: { $why }
audit-waiver-no-rule = there is no such rule; { $owner } answers for it until { $day }: { $why }
audit-waiver-idle = nothing of the kind is found; { $owner } answers for it until { $day }: { $why }

## Rules
audit-rule-plan-unreadable = Plan that can't be read
audit-means-plan-unreadable = The file breaks the rules of plans, so no run takes place and no other rule looks at its site.
audit-todo-plan-unreadable = Run intendant validate, and mend what it says.
audit-rule-no-plan = Site without a plan
audit-means-no-plan = We worked on the site or hold snapshots of it, and nobody keeps it updated now.
audit-todo-no-plan = Write a plan with intendant init; or, if the client has left, delete what is kept and say so in a waiver.
audit-rule-never-seen = Plan without a site
audit-means-never-seen = Nobody ever looked at the site that this plan promises to keep.
audit-todo-never-seen = Run intendant doctor and intendant intake for it, or remove the plan.
audit-rule-neighbour-without-plan = Site on one of our machines without a plan
audit-means-neighbour-without-plan = A site that nobody updates endangers its neighbours on the same machine.
audit-todo-neighbour-without-plan = Agree on a plan with its owner, or move it elsewhere.
audit-rule-no-intake = No accepted intake
audit-means-no-intake = Nobody can show that the site was sound when its plan began.
audit-todo-no-intake = Run intendant intake, and write who accepted it, when, and the record into the plan.
audit-rule-over-cap = Over the cap
audit-means-over-cap = Extensions outside the plan are not updated unless they close a known vulnerability.
audit-todo-over-cap = Agree on a larger tier, or remove extensions.
audit-rule-near-cap = Near the cap
audit-means-near-cap = A few more extensions, and some are no longer covered.
audit-todo-near-cap = Tell the client before it happens.
audit-rule-contract-lapsed = Contract is over
audit-means-contract-lapsed = Updates are not due, and the site falls behind.
audit-todo-contract-lapsed = Renew the contract and write its dates into the plan, or remove the plan.
audit-rule-contract-ending = Contract about to end
audit-means-contract-ending = After its last day no run begins.
audit-todo-contract-ending = Ask the client whether it is renewed.
audit-rule-licence-missing = Licence missing
audit-means-licence-missing = An update is offered without a package, so it can't be applied.
audit-todo-licence-missing = Buy or renew the licence, and give the site a seat with intendant licence, or enter it in the site.
audit-rule-licence-expired = Licence expired
audit-means-licence-expired = The pool that this licence comes from has ended.
audit-todo-licence-expired = Renew the licences, and write their last day into the pool: intendant licence add, with --replace.
audit-rule-licence-over-used = Licences over-used
audit-means-licence-over-used = More sites take from the pool than it has licences.
audit-todo-licence-over-used = Buy more licences, or take seats back: intendant licence release.
audit-rule-hold-past-end = Hold that is over
audit-means-hold-past-end = The plan still names a hold whose last day has passed: it no longer holds anything.
audit-todo-hold-past-end = Take it out of the plan, or give it a new last day.
audit-rule-notice-unanswered = Notice without an answer
audit-means-notice-unanswered = An update waits for a decision, or for somebody’s work.
audit-todo-notice-unanswered = Ask again whoever must act, then answer with intendant notices.
audit-rule-notice-expired = Notice that expired
audit-means-notice-expired = Nobody answered in time, nobody asked again, and the update still waits.
audit-todo-notice-expired = Run the site, which asks again, and see that the client answers.
audit-rule-anomaly-unanswered = Anomaly without an answer
audit-means-anomaly-unanswered = The client said that something is wrong with the site, and was told nothing yet.
audit-todo-anomaly-unanswered = See what the run before it changed with intendant anomaly show, mend it, and answer with intendant anomaly close.
audit-rule-window-missed = Window missed
audit-means-window-missed = A window of the plan passed and the site was not worked on.
audit-todo-window-missed = See whether the scheduler runs, and what refusals say; then run it: intendant run SITE --any-time.
audit-rule-run-stuck = Stuck
audit-means-run-stuck = The site could not be put back, or did not work after it was, and nothing was done since.
audit-todo-run-stuck = Act now: intendant report SITE says what to do.
audit-rule-run-restored = Put back and not followed up
audit-means-run-restored = An update broke the site, it was put back, and no run has begun since.
audit-todo-run-restored = Read the reason, hold the culprit or set on-failure: isolate, and run the site again.
audit-rule-run-open = Run not finished
audit-means-run-open = A run was interrupted more than a day ago; the site may be half-way.
audit-todo-run-open = Run intendant recover.
audit-rule-security-late = Security update late
audit-means-security-late = A known vulnerability stayed open for longer than the plan promises.
audit-todo-security-late = Run the site now; with updates.security.outside-windows it does not wait for a window.
audit-rule-vulnerable = Known vulnerability
audit-means-vulnerable = What is installed has a vulnerability that everybody can read about.
audit-todo-vulnerable = Apply the version that closes it; where there is none, deactivate the component or agree on the risk.
audit-rule-core-end-of-life = Core at its end of life
audit-means-core-end-of-life = Nobody mends what is found in this release train of the core any more.
audit-todo-core-end-of-life = Agree with the client on the step to a newer major version.
audit-rule-platform-end-of-life = Platform at its end of life
audit-means-platform-end-of-life = Nobody mends what is found in this release train, such as PHP, any more.
audit-todo-platform-end-of-life = Ask the hosting provider for a newer one; if a distribution mends it, say so under rules.audit.end-of-life.
audit-rule-end-of-life-near = End of life is near
audit-means-end-of-life-near = Soon nobody will mend what is found in this release train.
audit-todo-end-of-life-near = Plan the step to a newer one while there is time.
audit-rule-abandoned = Abandoned extension
audit-means-abandoned = Its author gave it up: nobody mends what is found in it.
audit-todo-abandoned = Replace it by one that is kept up.
audit-rule-modified = Modified files
audit-means-modified = Its files are not the published ones, so an update would overwrite what somebody changed; it is held.
audit-todo-modified = Find out who changed them; put the originals back, or run with --accept-modified.
audit-rule-drift = Changed by somebody else
audit-means-drift = Somebody changed the site outside of its runs.
audit-todo-drift = Look with intendant drift, ask the client, and take note with --accept.
audit-rule-no-backup = No backup
audit-means-no-backup = The site could not be put back by us if something happened to it now.
audit-todo-no-backup = Run intendant snapshot create; if snapshots have vanished from the store, find out why.
audit-rule-backup-old = Backup is old
audit-means-backup-old = What was written since would be lost.
audit-todo-backup-old = Run the site, or intendant snapshot create.
audit-rule-backup-unverified = Backup not verified
audit-means-backup-unverified = Nobody read the recent snapshots back, so nobody knows whether they are whole.
audit-todo-backup-unverified = Run intendant snapshot rehearse, or the site: a run verifies its snapshots.
audit-rule-restore-unproven = Restore not proven
audit-means-restore-unproven = A backup is only known to work when it was put back somewhere and compared.
audit-todo-restore-unproven = Run intendant snapshot rehearse.
audit-rule-waiver-expired = Waiver that is over
audit-means-waiver-expired = Nobody answers any more for what this waiver was about.
audit-todo-waiver-expired = See to the matter, or have its owner set a new last day; then take the old one out of the settings.
audit-rule-waiver-unused = Waiver without a use
audit-means-waiver-unused = It fits nothing that is found; later it could hide something that nobody thought of.
audit-todo-waiver-unused = Take it out of the settings.
