# The client's report, in English. Keys are the same in every language; a test compares them.
# $shown is a number as it is read, $count the same number for choosing the form.

## Numbers, sizes, lengths of time, dates
number-group = ,
number-decimal = .
size-b = { $n } B
size-kb = { $n } kB
size-mb = { $n } MB
size-gb = { $n } GB
size-tb = { $n } TB
duration-ms = { $n } ms
duration-s = { $n } s
duration-min = { $min } min { $s } s
duration-h = { $h } h { $min } min
hours = { $count ->
    [0] less than an hour
    [one] one hour
   *[other] { $shown } hours
}
days = { $count ->
    [one] one day
   *[other] { $shown } days
}
month-year = { $month } { $year }
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
date = { $month } { $shown }, { $year }
time = { $half ->
    [am] { $hour12 }:{ $minute } a.m.
   *[pm] { $hour12 }:{ $minute } p.m.
}
date-time = { $date } at { $time }
# The short names of America’s zones; elsewhere the name as it is.
zone-short = { $short ->
   *[other] { $short }
}

## The head
page-title = Update report: { $site }, { $date }
page-title-restore = Restore report: { $site }, { $date }
heading = Update report
heading-restore = Restore report
label-client = Client
label-date = Date
label-plan = Plan
label-duration = Duration
plan-line = { $tier ->
    [base] Base
    [advanced] Advanced
    [custom] Custom
   *[other] { $tier }
}
plan-covered = { $plan } ({ $extensions } of at most { $cap } extensions)
plan-near = { $plan } ({ $extensions } of at most { $cap } extensions: the limit is near)
plan-over = { $plan } ({ $extensions } extensions; the plan covers { $cap })

## The outcome
outcome-completed = Updated and checked
outcome-nothing = Already up to date
outcome-completed-with-holds = Updated, with some updates on hold
outcome-only-holds = Checked, with some updates on hold
outcome-restored = Put back exactly as it was
outcome-restored-left = Put back, but not entirely
outcome-restored-asked = Restored, as asked
outcome-refused = Nothing was changed
outcome-stuck = Needs attention
outcome-open = Not finished

say-installed = { $count ->
    [one] One update was installed. Its new version was read back from the site itself.
   *[other] { $shown } updates were installed. Every new version was read back from the site itself.
}
say-nothing = There was nothing to update. The site was backed up and checked.
say-held = { $count ->
    [one] One update is on hold; below is why, and who can act.
   *[other] { $shown } updates are on hold; below is why, and who can act.
}
say-checks = { $count ->
    [one] The site then passed its check.
   *[other] The site then passed all { $shown } of its checks.
}
say-checks-unknown = { $count ->
    [one] One check could not be made.
   *[other] { $shown } checks could not be made.
}
say-backups = { $count ->
    [one] One full backup was taken and verified.
   *[other] { $shown } full backups were taken and verified.
}
say-restored = Something did not work, so the site was put back from the backup taken just before. No update was kept.
say-restored-asked = The site was put back from the backup that was asked for.
say-restored-part = Only a part of the site was put back, as asked.
say-identical = Files and database were then compared with the backup once more: they are identical.
say-identical-rows = Files and database were then compared with the backup once more: they are identical, but for what visitors had written since.
say-rows = { $count ->
    [one] One entry that came in meanwhile, such as an order or a comment, was put back.
   *[other] { $shown } entries that came in meanwhile, such as orders or comments, were put back.
}
say-rows-left = { $count ->
    [one] One entry that came in meanwhile could not be put back. It is kept, and can be entered by hand.
   *[other] { $shown } entries that came in meanwhile could not be put back. They are kept, and can be entered by hand.
}
say-rows-unread = What came in meanwhile could not be looked at everywhere: something may be missing.
say-left = { $count ->
    [one] Files and database were then compared with the backup once more: one detail could not be set back.
   *[other] Files and database were then compared with the backup once more: { $shown } details could not be set back.
}
say-works = The site passes its checks, as before.
say-works-now = The site passes its checks.
say-refused = The updates did not begin, and the site was not touched.
say-refused-restore = The restore did not begin, and the site was not touched.
say-refused-again = They will be tried again in a later maintenance window.
say-stuck = The updates did not work, and the site could not be put back automatically. A specialist must finish this by hand.
say-stuck-checks = The site was put back from the backup taken just before, but it does not pass its checks. A specialist must look at it.
say-stuck-later = Updates were installed and passed their checks; a little later the site did not pass them any more. The updates are still there. A specialist must look at the site.
say-stuck-restore = The site could not be put back automatically. A specialist must finish this by hand.
say-stuck-restore-checks = The site was put back from the backup that was asked for, but it does not pass its checks. A specialist must look at it.
say-stuck-backup = The backup taken before the updates is complete and verified.
say-open = This report was made before the work was over.
say-interrupted = { $count ->
    [one] The work was interrupted once and taken up again.
   *[other] The work was interrupted { $shown } times and taken up again.
}

tile-updated = { $count ->
    [one] update installed
   *[other] updates installed
}
tile-held = on hold
tile-checks = { $count ->
    [one] check passed
   *[other] checks passed
}
tile-backups = { $count ->
    [one] verified backup
   *[other] verified backups
}
of-total = { $part } of { $total }

## Updates
updates-title = What was updated
updates-title-undone = What was tried
updates-caption = Versions after the update are those that the site itself reports.
updates-caption-undone = “Now” is the version that the site itself reports.
column-component = Component
column-before = Before
column-after = After
column-now = Now
kind-line = { $kind ->
    [core] Core
    [plugin] Extension
    [mu-plugin] Extension (must-use)
    [dropin] Drop-in
    [theme] Theme
    [language] Language
    [template] Template
    [module] Module
    [component] Component
    [library] Library
    [package] Package
    [extension] Extension
    [skin] Skin
    [file] Set of files
    [profile] Installation profile
    [admin-module] Administration module
    [admin-template] Administration template
   *[other] { $kind }
}
# A component in a sentence, and what belongs to it.
of-name = { $begins ->
   *[other] { $name }
}
the-component = { $kind ->
    [core] the core
    [plugin] the extension { $name }
    [mu-plugin] the must-use extension { $name }
    [dropin] the drop-in { $name }
    [theme] the theme { $name }
    [language] the language { $name }
    [template] the template { $name }
    [module] the module { $name }
    [component] the component { $name }
    [library] the library { $name }
    [package] the package { $name }
    [extension] the extension { $name }
    [skin] the skin { $name }
    [file] the set of files { $name }
    [profile] the installation profile { $name }
    [admin-module] the administration module { $name }
    [admin-template] the administration template { $name }
   *[other] { $name }
}
of-component = { $kind ->
    [core] of the core
    [plugin] of the extension { $name }
    [mu-plugin] of the must-use extension { $name }
    [dropin] of the drop-in { $name }
    [theme] of the theme { $name }
    [language] of the language { $name }
    [template] of the template { $name }
    [module] of the module { $name }
    [component] of the component { $name }
    [library] of the library { $name }
    [package] of the package { $name }
    [extension] of the extension { $name }
    [skin] of the skin { $name }
    [file] of the set of files { $name }
    [profile] of the installation profile { $name }
    [admin-module] of the administration module { $name }
    [admin-template] of the administration template { $name }
   *[other] of { $name }
}
the-object = { $kind ->
    [table] the table { $name }
    [sequence] the sequence { $name }
    [view] the view { $name }
    [function] the function { $name }
    [procedure] the procedure { $name }
    [trigger] the trigger { $name }
    [event] the event { $name }
   *[other] { $name }
}
kind-major = { $kind }, new major version
state-line = { $to }: { $state }
state-undone = installed, then undone
state-failed = did not work
state-not-reached = planned, not begun
state-unclear = begun, result unclear
update-fixes = It closes: { $names }.
fix-after = { $name } ({ $time } after it was published)
update-would-fix = It would close: { $names }.
update-special = A test version, installed on request.
not-read = not read
database-title = Database
database-kind = Its structure’s version

## Holds
holds-title = What is on hold
holds-intro = This is what exists and was not installed.
hold-step = { $installed } → { $offered }
hold-step-unknown = { $installed } is installed
hold-who = Who can act:
lifter = { $who ->
    [operator] we can
    [client] you can
    [host] your web host
    [vendor] the author of the extension
    [publisher] the publisher of the core
   *[time] nobody needs to: it will follow by itself
}
hold-policy = { $allows ->
    [none] The plan leaves updates of this kind out.
    [minor] This is a larger step than the plan allows (minor versions only).
    [patch] This is a larger step than the plan allows (corrections only).
   *[other] The plan’s rules leave this update out ({ $key }: { $allows }).
}
hold-approval = It is installed once it has been evaluated and approved.
hold-approval-notice = It is installed once it has been evaluated and approved (notice no. { $notice }).
hold-declined = It was declined, so it is not installed.
hold-manual = It has to be done by hand: { $what }.
hold-special = It is a test version. Those are installed only on request.
hold-immune = It caused trouble on this site or on one like it, so it waits until the cause is understood.
hold-reported = It waits until { $until }, because of what you told us (no. { $anomaly }).
hold-next-window = It is not urgent and waits for the next maintenance window.
hold-lapsed = The maintenance contract ended on { $until }. Without it the site gets no updates, and known vulnerabilities stay open.
hold-postponed = One of the new versions does not work on this site. While it was being looked for, this one’s turn did not come.
hold-planned = The plan keeps it back: { $why }.
hold-planned-until = The plan keeps it back until { $until }: { $why }.
hold-platform = It needs { $part } { $needs }; the server has { $has }.
hold-platform-unknown = It needs { $part } { $needs }; which version the server has is not known.
hold-core = It needs version { $needs } of the core; the site has { $has }.
hold-dependency = It needs { $on }, which is missing, switched off or too old.
hold-with = It belongs together with { $other }, which is on hold.
hold-licence = It cannot be downloaded: the licence is missing or has ended. With a valid licence it is installed at the next run.
hold-licence-ended = It needs a licence, and ours for it ended on { $until }. It is installed once the licence is renewed.
hold-licence-over-used = It needs a licence, and more sites use those we have than were bought. It is installed once there are enough.
hold-licence-full = It needs a licence, and those we have are in use on other sites. It is installed once another one is bought.
hold-licence-no-seat = It needs a licence, and none has been set aside for this site yet. That is our task.
hold-licence-by-hand = It needs a licence that has to be entered in the site by hand. That is our task.
hold-licence-key = It needs a licence, and its key could not be read this time. We are looking into it.
hold-licence-refused = It needs a licence, and its publisher did not accept the key. We are looking into it.
hold-modified = { $count ->
    [one] The installed files are not the original ones (one file differs: { $files }). An update would erase these changes.
   *[other] The installed files are not the original ones ({ $shown } files differ, such as { $files }). An update would erase these changes.
}
hold-modified-unknown = The installed files are not the original ones. An update would erase these changes.
hold-outside-plan = The site has more extensions than its plan covers. The plan “{ $tier }” would cover it.
hold-too-young = It is very new. The plan lets new versions settle first; it is due from { $from }.
hold-unusable = What the site says about this update cannot be used safely: { $why }.
hold-not-writable = The server does not let us replace its files ({ $path }).
hold-failed = It did not work on this site in this run, so it was taken out and the site was put back.

## What the client told us
anomalies-title = What you told us
anomaly-told = On { $told } you told us about { $page }, as you saw it on { $seen }:
anomaly-quote = “{ $text }”
anomaly-screenshots = { $count ->
    [one] You sent a screenshot with it.
   *[other] You sent { $shown } screenshots with it.
}
anomaly-put-back = On { $date } we put the site back to the backup taken before the updates.
anomaly-held = Updates of { $extension } wait until { $until }.
anomaly-answer = Here is what we found: { $answer }
anomaly-open = We are looking into it. You will find our answer in one of the next reports.

## What somebody else changed
drift-title = Changes that were not ours
drift-intro = These changes were made on the site by somebody else since { $since }, when we last left it.
drift-intro-unknown = These changes were made on the site by somebody else since we last left it.
drift-version = { $what }: { $from } → { $to }
drift-extension-added = Somebody installed { $what } ({ $to }).
drift-extension-removed = Somebody removed { $what } ({ $from }).
drift-extension-version = Somebody brought { $what } from { $from } to { $to }.
drift-extension-activated = Somebody switched { $what } on.
drift-extension-deactivated = Somebody switched { $what } off.
drift-unknown-version = an unknown version
drift-administrator-added = The account { $subject } has an administrator’s rights now.
drift-administrator-removed = The account { $subject } no longer has an administrator’s rights.
drift-administrator-contact = The e-mail address of the administrator { $subject } was changed.
drift-table-added = In the database, somebody added { $what }.
drift-table-removed = In the database, somebody removed { $what }.
drift-table-changed = In the database, somebody changed the structure of { $what }.
drift-file-added = The file { $subject } was added.
drift-file-removed = The file { $subject } was removed.
drift-file-changed = The file { $subject } was changed.
drift-file-rights = The rights of { $subject } were changed: { $from } → { $to }.
drift-not-compared = { $subject ->
    [administrators] Who has an administrator’s rights could not be compared with then.
    [tables] How the tables of the database are made could not be compared with then.
   *[other] Versions and extensions could not be compared with then.
}
drift-address = The site’s address was changed: { $from } → { $to }.
drift-files = { $count ->
    [one] with one file
   *[other] with { $shown } files
}
drift-accepted = noted by { $by }
drift-more = { $count ->
    [one] and one more change
   *[other] and { $shown } more changes
}

## What happened
problem-title = What happened, and what was done
problem-title-refused = Why nothing was done
problem-step-checks = { $step }: afterwards the site did not pass its checks.
problem-step-baseline = The site did not pass its checks before anything was done.
problem-step-baseline-later = Before the work went on, the site was checked: it did not pass its checks any more.
problem-step = { $step }: this did not work.
problem-step-interrupted = { $step }: this was interrupted in the middle.
problem-restored = { $count ->
    [0] The site was compared with the backup taken before: nothing differed.
    [one] The site was put back from the backup taken before. One file or table was set back.
   *[other] The site was put back from the backup taken before. { $shown } files and tables were set back.
}
problem-restored-asked = { $count ->
    [0] The site was compared with the backup that was asked for: nothing differed.
    [one] The site was put back from the backup that was asked for. One file or table was set back.
   *[other] The site was put back from the backup that was asked for. { $shown } files and tables were set back.
}
problem-restore-failed = Putting the site back did not work.
problem-restore-interrupted = Putting the site back was interrupted.
problem-identical = A second comparison found no difference.
problem-identical-rows = A second comparison found no difference but what visitors had written since.
problem-rows = What visitors had written since the backup:
problem-rows-table = { $table }: { $back } put back
problem-rows-changed = { $line }, { $changed } set back to the backup
problem-rows-left = { $line }, { $left } could not be put back
problem-rows-unread = not looked at: { $what }
problem-left = { $count ->
    [one] A second comparison found one difference that could not be set back:
   *[other] A second comparison found { $shown } differences that could not be set back:
}
problem-good = The checks were made again: all passed.
problem-not-good = The checks were made again: some failed.
problem-again = Then the work began again without what had failed.
problem-detail = Detail for technicians
problem-todo = What a specialist has to do

refusal-no-window = No maintenance window of the plan is open now.
refusal-no-window-next = No maintenance window of the plan is open now (the next one opens on { $next }).
refusal-blackout = The plan allows no changes until { $until }: { $why }.
refusal-contract-ended = The maintenance contract { $number } ended on { $until }. Updates are due again once it is renewed.
refusal-contract-not-begun = The maintenance contract { $number } has not begun yet.
refusal-over-cap = The site has { $extensions } extensions, and its plan covers { $cap }. The plan “{ $tier }” would cover it.
refusal-source-down = The update service { $source } could not be reached, so nobody can say what is pending.
refusal-busy = Another update seems to be under way on the site: { $what }.
refusal-busy-since = Another update seems to be under way on the site since { $since }: { $what }.
refusal-drift = The site was changed by somebody else since our last visit ({ $count ->
    [one] one change
   *[other] { $shown } changes
}), and the plan says to stop until somebody has looked at that.
refusal-drift-unknown = It could not be found out whether the site was changed since our last visit, and the plan says to stop then.
refusal-unsupported = Sites like this one are not updated: { $why }.
refusal-failed = The site could not be looked at.

## Checks
checks-title = Does the site work?
checks-title-before = Did the site work before?
checks-caption = Each check was made before and after. A page is asked for as a visitor would, and once more past every cache.
checks-caption-before = Each check was made before anything was touched.
column-check = Check
check-home = Home page
check-page = Page { $path }
check-command = Command { $command }
check-log = Error log
# Several checks of the same thing are numbered.
check-again = { $check } ({ $number })
seen-passed = passed
seen-failed = failed
seen-unknown = could not be made
seen-none = not made
seen-page = status { $status }, { $time }

reason-no-answer = { $failure ->
    [no-such-host] The site’s name does not resolve.
    [forbidden-address] The site’s name leads to an address that is not a website.
    [unreachable] Nothing answers at the site’s address.
    [tls] There is no secure connection: the certificate is wrong or missing.
    [timed-out] The page did not arrive in time.
    [broken] The answer broke off.
    [too-many-redirects] The page redirects in circles.
    [leaves-site] The page redirects to another address.
    [downgrade] The page redirects to an address without encryption.
   *[bad-redirect] The page redirects to an address that does not exist.
}
reason-status = The page answers with status { $got }.
reason-status-before = The page answers with status { $got }; before, it was { $before }.
reason-server-error = The page shows a server error (status { $got }).
reason-missing = The text “{ $text }” is missing.
reason-forbidden = The text “{ $text }” appears.
reason-ends-elsewhere = The page leads to { $got } instead of { $expected }.
reason-moved = The page leads to { $got }; before, it led to { $before }.
reason-slow = It took { $took }; at most { $limit } are allowed.
reason-empty = The page is empty.
reason-shrunk = The page has only { $got }; before, it had { $before }.
reason-cut-short = The page stops in the middle.
reason-hidden = Visitors still see a copy from a cache. Behind it: { $reason }
reason-stopped = The command did not end in time.
reason-exit = The command ended with status { $got }.
reason-printed = The command answered something else than expected.
reason-fatal = { $count ->
    [one] The error log has a new serious error.
   *[other] The error log has { $shown } new serious errors.
}

## Backups
backups-title = Backups
backups-caption = Each backup is complete, was read again byte by byte and can be put back exactly.
column-backup = Backup
column-content = Content
column-verified = Verified
backup-before = Before the updates
backup-after = After the updates
backup-attempt = { $backup } (attempt { $attempt })
backup-files = { $count ->
    [one] { $shown } file
   *[other] { $shown } files
}
backup-objects = { $count ->
    [0] no database
    [one] { $shown } table
   *[other] { $shown } tables
}
backup-content = { $files }, { $size }, { $objects }
backup-changed = { $count ->
    [0] nothing changed since the backup before it
    [one] one change since the backup before it
   *[other] { $shown } changes since the backup before it
}

## Proven restores
proven-title = Trial restore
proven-restore = Last proven restore: { $date }, { $took }.
proven-all = A backup was put back in full beside the site, files and database, and compared: it was identical.
proven-files = The files of a backup were put back beside the site and compared: they were identical. The database could not be tried there.
proven-no-start = A backup was put back in full beside the site, files and database, and compared: it was identical. The copy could not be started there.
proven-failed = A later trial, on { $date }, did not succeed.

## Steps
steps-title = How the time was spent
steps-caption = Times are those of { $zone }.
column-start = Start
column-step = Step
column-duration = Duration
attempt-step = { $step } (attempt { $attempt })
step-interrupted = interrupted
step-failed = { $step }: did not work
step = { $kind ->
    [look] Look at the site and decide
    [lock] Reserve the site
    [baseline] Check the site before
    [snapshot-before] Back up and verify, before
    [arm] Have the host watch over the run
    [disarm] Have the host watch no more
    [maintenance-on] Show the maintenance page
    [prepare] Ask for the newest versions
    [licence] Enter the licence of { $title }
    [update] Update { $title }
    [migrate] Update the database
    [languages] Update languages
    [quick-checks] Check the site
    [flush] Empty caches
    [restart] Restart the site’s processes
    [maintenance-off] Open the site again
    [full-checks] Check the whole site
    [snapshot-after] Back up and verify, after
    [restore] Put the site back
    [restored-checks] Check the site that was put back
   *[unlock] Release the site
}

## What to do
help-title = If something looks wrong
help-intro = Please tell us as soon as you notice it, with:
help-when = the date and time;
help-page = the address of the page;
help-what = what you see, and what you expected; a screenshot helps;
help-device = the browser, the system and the device.
help-hands-off = Please do not update anything yourself: every change is planned, backed up and checked.
help-contact = Contact:

## The letter before a report
letter-label = Letter
letter-date = { $date }
letter-dear = Dear Sir or Madam,
letter-run = The following pages are our report on the updates to your website { $site }. In short:
letter-restore = The following pages are our report on the restore of your website { $site }. In short:
letter-month = The following pages are our monthly report ({ $month }). In short:
letter-notices = The following pages say what waits for an answer about your website { $site }. In short:
letter-contact = If anything looks wrong, or if you have any questions, please contact us: { $contact }
letter-ask = If anything looks wrong, or if you have any questions, please contact us.
letter-closing = Yours faithfully,

## The foot
foot-run = Run { $run }
foot-program = Intendant { $version }
foot-procedure = procedure { $digest }
foot-plan = plan { $digest }

## The page about an intake
intake-title = Assessment: { $site }, { $date }
intake-heading = Assessment before the plan
intake-label-core = System
intake-label-extensions = Extensions
intake-accept = The site can enter its plan
intake-conditions = The site can enter its plan once some points are settled
intake-refuse = The site cannot enter its plan as it is
intake-looked = { $files } files and { $objects } parts of the database were looked at, with { $rules } rules.
intake-estimate = { $count ->
    [one] Bringing it to the present major versions takes about one minute of work.
   *[other] Bringing it to the present major versions takes about { $shown } minutes of work.
}
intake-critical = What has to be put in order first
intake-high = Conditions
intake-medium = To be looked at, or agreed upon
intake-low = Good to know
intake-todo = What to do:
intake-line = line { $line }
intake-place-files = Files and tables
intake-place-updates = Updates
intake-place-checks = Checks
intake-place-address = The site’s address
intake-place-administrators = Administrator accounts
intake-unknown = What could not be looked at
intake-record = Record { $id }

## The month
monthly-page-title = Monthly report: { $title }, { $month }
monthly-heading = Monthly report
monthly-fleet = All sites
monthly-label-month = Month
monthly-label-sites = Sites
monthly-good = Maintained and checked
monthly-waiting = Maintained and checked; something waits for you
monthly-tried = Checked; not everything worked
monthly-refused = Nothing could be done this month
monthly-act = Needs attention
monthly-none = No maintenance this month
monthly-until = The month is not over: this is how it stood on { $date }.
monthly-no-site = There is no site to report on.
monthly-no-run = There was no maintenance of this site this month.
monthly-idle = { $count ->
    [one] One site had no maintenance this month; it is named below.
   *[other] { $shown } sites had no maintenance this month; they are named below.
}
monthly-stuck = { $count ->
    [one] On one site the work could not be finished automatically. A specialist must finish it by hand.
   *[other] On { $shown } sites the work could not be finished automatically. A specialist must finish it by hand.
}
monthly-open = { $count ->
    [one] On one site the work was not over when this was written.
   *[other] On { $shown } sites the work was not over when this was written.
}
monthly-only-refused = { $count ->
    [one] On one site no work could begin this month; below is why.
   *[other] On { $shown } sites no work could begin this month; below is why.
}
monthly-updates = { $count ->
    [0] No update was installed.
    [one] One update was installed. Its new version was read back from the site itself.
   *[other] { $shown } updates were installed. Every new version was read back from the site itself.
}
monthly-fixed = { $count ->
    [one] One component is now free of vulnerabilities that had become known.
   *[other] { $shown } components are now free of vulnerabilities that had become known.
}
monthly-longest = The longest of these had been public for { $time } when it was closed.
monthly-checks = { $count ->
    [one] The check passed when it was last made.
   *[other] All { $shown } checks passed when they were last made.
}
monthly-checks-others = { $count ->
    [one] On the other sites, the check passed when it was last made.
   *[other] On the other sites, all { $shown } checks passed when they were last made.
}
monthly-checks-failing = { $count ->
    [one] One check did not pass when it was last made.
   *[other] { $shown } checks did not pass when they were last made.
}
monthly-failed = { $count ->
    [one] One visit did not succeed. What happened, and what was done, stands below.
   *[other] { $shown } visits did not succeed. What happened, and what was done, stands below.
}
monthly-held-client = { $count ->
    [one] One update waits for you; below is why.
   *[other] { $shown } updates wait for you; below is why.
}
monthly-held = { $count ->
    [one] One update is on hold and needs nothing from you.
   *[other] { $shown } updates are on hold and need nothing from you.
}
monthly-tile-fixed = { $count ->
    [one] security fix
   *[other] security fixes
}
monthly-fixes-title = Security: what was closed
monthly-fixes-intro = These updates closed vulnerabilities that anybody could read about. The time is how long that was possible before the update.
monthly-column-closed = Closed
monthly-column-versions = Version
monthly-drifts = { $count ->
    [one] One change that was not ours was found on the site. The report of that day has the details.
   *[other] { $shown } changes that were not ours were found on the site. The reports of those days have the details.
}
monthly-runs-title = What was done
monthly-date = { $date } ({ $times } times)
monthly-dates = { $from } to { $until } ({ $times } times)
monthly-more-runs = { $count ->
    [one] One earlier entry is not shown here.
   *[other] { $shown } earlier entries are not shown here.
}
monthly-run-nothing = There was nothing to update. The site was backed up and checked.
monthly-run-completed = { $count ->
    [one] One update was installed and checked.
   *[other] { $shown } updates were installed and checked.
}
monthly-run-with-holds = { $count ->
    [one] One update was installed and checked; others are on hold.
   *[other] { $shown } updates were installed and checked; others are on hold.
}
monthly-run-only-holds = The site was backed up and checked. The updates that exist are on hold.
monthly-run-asked = The site was put back to an earlier backup, as asked.
monthly-run-asked-part = A part of the site was put back to an earlier backup, as asked.
monthly-run-restored = Something did not work, so the site was put back exactly as it was. No update was kept.
monthly-run-put-back = Something did not work, so the site was put back. No update was kept.
monthly-run-left = Not everything could be put back; the report of that day has the details.
monthly-run-refused = Nothing was changed.
monthly-run-stuck = The work could not be finished automatically. A specialist must finish it by hand.
monthly-run-open = The work was not over when this was written.
monthly-times = { $count ->
    [one] in one step
   *[other] in { $shown } updates
}
monthly-put-back-later = Later the site, or a part of it, was put back from a backup, as asked: this version may be gone.
monthly-unchecked = Since the last run, the site could not be checked: nobody knows whether it works.
monthly-checked = On { $date }, { $part } of { $total } checks passed.
monthly-column-page = How fast pages answer
monthly-column-first = Before the first visit
monthly-column-last = After the last one
monthly-backups = { $count ->
    [one] One full backup was taken and verified this month.
   *[other] { $shown } full backups were taken and verified this month.
}
monthly-last-backup = The last one is of { $date }.
monthly-not-proven = No trial restore of this site has been made yet.

## Notices, by e-mail
notices-subject = { $count ->
    [one] { $site }: one update needs you
   *[other] { $site }: { $shown } updates need you
}
notices-subject-waiting = { $count ->
    [one] { $site }: one update is waiting
   *[other] { $site }: { $shown } updates are waiting
}
notices-heading = Notices
notices-title = { $count ->
    [one] One update waits for you
   *[other] { $shown } updates wait for you
}
notices-title-waiting = { $count ->
    [one] One update is waiting
   *[other] { $shown } updates are waiting
}
notices-intro = { $count ->
    [one] It waits until somebody has decided or acted. Reply with the number of the notice: yes or no where an approval is asked for, done where it is a task.
   *[other] Each waits until somebody has decided or acted. Reply with the number of the notice: yes or no where an approval is asked for, done where it is a task.
}
notices-list = What waits
notices-title-line = Notice no. { $notice } – { $title }
notices-line = Notice no. { $notice } – { $title }: { $from } → { $to }
notices-who = { $who ->
    [operator] It is up to us.
    [client] It is up to you.
    [host] It is up to your web host.
    [vendor] It is up to the author of the extension.
    [publisher] It is up to the publisher of the core.
   *[time] Nobody needs to act.
}
