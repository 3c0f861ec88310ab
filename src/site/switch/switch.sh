# The dead man's switch: puts a site back on its own host when its runner has gone for good.
#
#   sh switch.sh VERB FOLDER LEASES RUN ROOT AFTER DATABASE
#
# FOLDER is private and holds, besides this: exclude (words for find), maintenance (files that only the maintenance
# switch makes), on and off (the commands that switch it), flush.N (commands that empty caches), restart.N (commands that have what
# serves the site take the files up), dump (the dump program's arguments), tables (the site's part of a shared database, else empty),
# scripts, and clear.sh, which ends what runs for a run. Lists are of parts that NUL ends; a command begins with its limit in seconds.
# LEASES holds the site's lease, whose `until` the runner changes as long as it lives. AFTER is in seconds.
#
# Needs GNU find, tar, sed, sort and uniq; any POSIX shell runs it. No clock is compared with another one: it is counted how often
# nothing was heard. Whatever it overwrites it keeps first, whole, or it overwrites nothing.

verb=$1 D=$2 L=$3 RUN=$4 ROOT=$5 AFTER=$6 DB=$7; shift 7
mask=$(umask); umask 077
LC_ALL=C; export LC_ALL
first() { for p; do if command -v "$p" >/dev/null 2>&1; then printf '%s' "$p"; return 0; fi; done; return 1; }
limit=$(first timeout) client=$(first mariadb mysql) dumper=$(first mariadb-dump mysqldump) sum=$(first sha256sum cksum)
if command -v zstd >/dev/null 2>&1; then zip='zstd -qc1' unzip='zstd -qdc'
elif command -v gzip >/dev/null 2>&1; then zip='gzip -c1' unzip='gzip -dc'; else zip=cat unzip=cat; fi
step=$((AFTER / 10)); if [ "$step" -lt 1 ]; then step=1; elif [ "$step" -gt 10 ]; then step=10; fi
# Times to the nanosecond, each file whole, and access lists where this tar knows them.
tar='tar --format=posix --numeric-owner --no-recursion --null'
if tar --acls --xattrs -cf /dev/null -T /dev/null 2>/dev/null; then tar="$tar --acls --xattrs"; fi
list() { xargs -0 -n 100000 -x "$@"; }
# What ends a command at its limit, in this process group where it can.
within=; for p in ' --foreground -k 10' ' -k 10' ''; do
if [ -n "$limit" ] && "$limit" $p 1 true >/dev/null 2>&1; then within=$limit$p; break; fi; done
# The command in the file $1; $2: what it is begun by.
run() {
(cd -- "$ROOT" && umask "$mask" && list sh -c 's=$0 t=$1 l=$2; shift 2; exec $t ${t:+"$l"} $s "$@"' "$2" "$within" <"$1") </dev/null >/dev/null 2>&1
}

# What the host lacks, in words; nothing when it can do it.
lacks() {
for p in setsid sort uniq sed xargs awk ${sum:-sha256sum}; do command -v "$p" >/dev/null 2>&1 || { echo "it has no $p"; return; }; done
[ -r /proc/self/stat ] || { echo 'it has no /proc, by which a process is told from a later one'; return; }
for p in find tar sed; do case $("$p" --version 2>/dev/null) in *GNU*) ;; *) echo "it has no GNU $p"; return;; esac; done
[ "$(printf 'b\na\0a\nb\0' | sort -z 2>/dev/null | uniq -z 2>/dev/null | tr '\0\n' ',;')" = 'a;b,b;a,' ] ||
{ echo 'it has no GNU sort and uniq: its own take no names with line breaks'; return; }
d=$(cd -P -- "$HOME" && pwd -P) || { echo "its account has no home"; return; }
case $d/ in "$ROOT"/*) echo "its account's home is the site's own folder, where visitors could reach what is kept"; return;; esac
while [ -n "$d" ]; do for p in index.php index.html index.htm; do if [ -e "$d/$p" ]; then
echo "visitors could reach what is kept in its account's home, for there is $d/$p" | tr -dc ' -~'; return; fi; done; d=${d%/*}; done
if [ -n "$DB" ]; then
[ -n "$client" ] && [ -n "$dumper" ] || { echo "it has no mariadb or mysql client programs"; return; }; fi
}

# Facts, tab and path of all that is below the root, sorted. `strict`: whatever was touched differs.
walk() {
f='%y %m %U %G %s %T@' d='%y %m %U %G - %T@'
if [ "$1" = strict ]; then f="$f %C@ %i" d="$d %C@ %i"; fi
cd -- "$ROOT" || return 1
{ list sh -c 'f=$0 d=$1; shift; exec find . -ignore_readdir_race "$@" \( -type d -printf "$d\t%p\0" -o \( -type f -o -type l \) -printf "$f\t%p\0" \)' \
"$f" "$d" <"$D/exclude"; echo $? >"$D/walked"; } | sort -z || return 1
[ "$(cat "$D/walked")" = 0 ]
}
# What is in the first of two sorted lists alone.
only_in() { sort -z -- "$1" "$2" "$2" | uniq -z -u; }
# What is in both of two lists.
both() { sort -z -- "$1" "$2" | uniq -z -d; }
names() { sed -z 's/^[^\t]*\t//' -- "$@" | sort -z; }

# Archives the files that $1 names as $2, which is there only when it is whole. What is gone when its turn comes is no part of it.
archive() {
cd -- "$ROOT" || return 1
{ $tar -c --hard-dereference -f - -T "$1" 2>"$D/said"; echo $? >"$D/archived"; } | $zip >"$2.part" || return 1
case $(cat "$D/archived") in 0|1) ;; 2) gone_only || return 1;; *) return 1;; esac
mv -f -- "$2.part" "$2"
}
# Whether all that tar found wrong is files that are not there any more.
gone_only() {
[ -s "$D/said" ] || return 1
! grep -v -q -E ': (Cannot (stat|open|readlink): No such file or directory|File removed before we read it|file changed as we read it|Exiting with failure status due to previous errors)$' "$D/said"
}
# Writes what the archive of the state before has of the paths that $1 names.
extract() {
[ -s "$1" ] || return 0
cd -- "$ROOT" && $unzip <"$D/before.tar" | $tar -x -p --delay-directory-restore -f - -T "$1" 2>"$D/said"
}

ask() { printf '%s\n' "$1" | "$client" --defaults-file="$D/client.cnf" --batch --skip-column-names --default-character-set=utf8mb4 "$DB"; }
# The dump of the site's part of the database; of a shared one, those of its tables that are there.
dump() {
if [ ! -s "$D/tables" ]; then list sh -c 'd=$1 c=$0; shift; exec "$d" --defaults-file="$c" "$@"' "$D/client.cnf" "$dumper" <"$D/dump"; return; fi
ask 'SHOW TABLES' >"$D/there" || return 1
{ cat -- "$D/dump"; grep -Fx -f "$D/tables" -- "$D/there" | tr '\n' '\0'; } |
list sh -c 'd=$1 c=$0; shift; exec "$d" --defaults-file="$c" "$@"' "$D/client.cnf" "$dumper"
}
# Keeps a dump as $1, which is there only when it is whole.
keep() {
{ dump 2>"$D/said"; echo $? >"$D/dumped"; } | $zip >"$1.part" || return 1
[ "$(cat "$D/dumped")" = 0 ] && $unzip <"$1.part" | tail -n 3 | grep -q '^-- Dump completed' && mv -f -- "$1.part" "$1"
}

# Keeps the state before, and begins to watch. Prints why not (status 5), or the kilobytes that it takes.
arm() {
why=$(lacks); if [ -n "$why" ]; then echo "$why"; exit 5; fi
cd -- "$ROOT" || exit 4
if [ -n "$DB" ]; then credentials "$@" || exit 4; fi
walk strict >"$D/first" || { echo 'not all of its files can be listed'; exit 5; }
need=$(list sh -c 'exec find . -ignore_readdir_race "$@" -type f -printf "%k\n"' sh <"$D/exclude" | awk '{ s += $1 } END { print int(s) }')
if [ -n "$DB" ]; then
n=$(ask 'SELECT CAST(COALESCE(SUM(DATA_LENGTH), 0) / 1024 AS UNSIGNED) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()') || exit 4
need=$((need + 2 * n)); fi
need=$((need + 65536)) free=$(df -Pk -- "$D" | tail -n 1 | { read -r _ _ _ f _; printf '%s' "$f"; })
case $free in ''|*[!0-9]*) free=0;; esac
if [ "$free" -lt "$need" ]; then echo "its disk has $free KiB free, and the state before may need $need KiB"; exit 5; fi
names "$D/first" >"$D/names"
archive "$D/names" "$D/before.tar" || { echo "its files can't be archived: $(tail -n 2 -- "$D/said" | tr -dc ' -~')"; exit 5; }
# What changed meanwhile, such as a log, is left alone afterwards.
walk strict >"$D/second" || { echo 'not all of its files can be listed'; exit 5; }
sort -z -- "$D/first" "$D/second" | uniq -z -d >"$D/before"
{ only_in "$D/first" "$D/second"; only_in "$D/second" "$D/first"; } | names | uniq -z >"$D/ignore"
# Looked at later: facts that healing itself changes count for nothing then.
sed -z 's/^\([^\t]*\) [0-9.]* [0-9]*\t/\1\t/' -- "$D/before" | sort -z >"$D/loose"
if [ -n "$DB" ]; then
keep "$D/before.sql" && ask 'SHOW FULL TABLES' >"$D/objects" || { echo "its database can't be dumped: $(tail -n 2 -- "$D/said" | tr -dc ' -~')"; exit 5; }
$unzip <"$D/before.sql" | "$sum" >"$D/before.sum"; fi
echo armed >"$D/armed" && start || exit 4
du -sk -- "$D" | { read -r k _; echo "$k"; }
}
credentials() {
o=$("$@" </dev/null | sed -n '/^\[client\]$/,$p'); [ -n "$o" ] && printf '%s\n' "$o" >"$D/client.cnf"
}
start() {
[ -f "$D/client.cnf" ] || DB=
rm -f -- "$D/pid"
setsid sh "$D/switch.sh" watch "$D" "$L" "$RUN" "$ROOT" "$AFTER" "$DB" </dev/null >/dev/null 2>&1 &
i=0; until [ -s "$D/pid" ]; do i=$((i+1)); [ "$i" -lt 100 ] || return 1; sleep 0.1; done
}

# The lease of the run, whatever its number.
lease() { for h in "$L/held.$RUN".*; do if [ -d "$h" ]; then printf '%s' "$h"; return 0; fi; done; return 1; }
watch() {
b=; read -r b 2>/dev/null </proc/sys/kernel/random/boot_id; read -r w 2>/dev/null <"/proc/$$/stat"
began() { shift 19; echo "$1"; }
echo "$$ $b $(began ${w##*) } 2>/dev/null)" >"$D/pid"
silent=0 missing=0 seen=
while sleep "$step"; do
[ -f "$D/armed" ] || exit 0
if ! h=$(lease); then
# The run is over, or somebody has removed its lease: then it is none of our business.
missing=$((missing+1)); [ "$missing" -lt 3 ] || { cd / && rm -rf -- "$D"; exit 0; }; continue; fi
missing=0 u=; read -r u 2>/dev/null <"$h/until"
if [ -n "$u" ] && [ "$u" != "$seen" ]; then seen=$u silent=0; continue; fi
silent=$((silent + step))
if [ "$silent" -ge "$AFTER" ] && heal "$h"; then silent=0; fi
done
}

# Ends this when a runner has taken over.
ours() { [ -d "$mine" ] || exit 0; }
failed() { bad=yes; echo "$1" >>"$D/failed"; }
# Puts the site back. Fails where it could not even begin: then it is tried again soon.
heal() {
mine=$L/held.$RUN.$((${1##*.} + 1)) bad=
# Where the disk is full nothing can be kept. What is written is only renamed then: nobody takes a heal that has begun for none.
date +%s >"$D/begins" && [ -s "$D/begins" ] || return 1
mv -T -- "$1" "$mine" 2>/dev/null || { rm -f -- "$D/begins"; return 0; }
until mv -f -- "$D/begins" "$D/began"; do sleep "$step"; ours; done
ln -f -- "$D/began" "$mine/healed" 2>/dev/null || cat -- "$D/began" >"$mine/healed"
until sh "$D/clear.sh" '' "$RUN" stay; do sleep "$step"; ours; done
if [ -s "$D/on" ]; then run "$D/on"; fi
# Nothing is overwritten before all of it is kept.
i=0; until keep_present; do i=$((i+1)); if [ "$i" -ge 1000 ]; then failed 'what is there now can not be kept'; date +%s >"$D/ended"; exit 0; fi; sleep "$step"; ours; done
# That it is there is what counts, also where the disk is full.
until echo kept >"$D/kept" || [ -e "$D/kept" ]; do sleep "$step"; ours; done; ours
put_files || failed 'files could not be put back'
ours
if [ -n "$DB" ]; then i=0; until put_database; do i=$((i+1)); if [ "$i" -ge 20 ]; then failed 'the database could not be put back'; break; fi; sleep "$step"; ours; done
[ "$(dump 2>/dev/null | "$sum")" = "$(cat -- "$D/before.sum")" ] || failed 'the database differs still'; fi
ours
# All but what keeps visitors out, and the folders that it lies in.
sed -z 's,^,./,' -- "$D/maintenance" | sort -z -u >"$D/shut"
sed -z 'p;s,/[^/]*$,,' -- "$D/shut" | sort -z -u >"$D/door"
compare && only_in "$D/differs" "$D/door" >"$D/wrong" || failed 'its files can not be compared'
if [ -s "$D/wrong" ]; then failed 'some files differ still'; fi
proven=; if [ -z "$bad" ]; then proven=yes; fi
for f in "$D"/flush.*; do if [ -s "$f" ]; then run "$f" || failed 'caches could not be emptied'; fi; done
# What serves the site may still run code that is gone. Each command in a session of its own, which outlives this one.
for f in "$D"/restart.*; do if [ -s "$f" ]; then run "$f" setsid || failed 'what serves the site could not be restarted'; fi; done
ours
if [ -n "$proven" ]; then let_in; fi
# The credentials have done their work.
rm -f -- "$D/client.cnf"; date +%s >"$D/ended"; exit 0
}
# What keeps visitors out goes last. A file of the site's own that has such a name comes back.
let_in() {
if [ -s "$D/off" ]; then run "$D/off" || failed 'maintenance could not be switched off'; fi
only_in "$D/shut" "$D/then" >"$D/ours"; both "$D/shut" "$D/then" >"$D/own"
cd -- "$ROOT" || return
xargs -0 -r rm -f -- <"$D/ours"
extract "$D/own"
put_folders "$D/door"
if ! compare || ! both "$D/differs" "$D/shut" >"$D/wrong" || [ -s "$D/wrong" ]; then failed 'what keeps visitors out differs still'; fi
}
# What of the files is not as it was before, as `differs`. A folder that the update made stays where something lies in it that is
# left out: such is not ours to remove.
compare() {
true >"$D/differs"
walk loose >"$D/now" &&
only_in "$D/loose" "$D/now" | names >"$D/a" && only_in "$D/now" "$D/loose" >"$D/more" && names "$D/more" >"$D/b" &&
sort -z -u -- "$D/a" "$D/b" >"$D/c" && only_in "$D/c" "$D/ignore" >"$D/all" &&
sed -z '/^d/d' -- "$D/more" | names | sed -z -n ':a;s,/[^/]*$,,p;ta' | sort -z -u >"$D/holding" &&
sed -z -n '/^d/p' -- "$D/more" | names >"$D/a" && both "$D/a" "$D/added" >"$D/b" &&
sort -z -u -- "$D/holding" "$D/then" >"$D/a" && only_in "$D/b" "$D/a" >"$D/stay" &&
only_in "$D/all" "$D/stay" >"$D/differs"
}
# What was made unreadable can neither be kept nor replaced; the right modes come back with the rest.
open_up() {
cd -- "$ROOT" || return 1
list sh -c 'exec find . -ignore_readdir_race "$@" -user "$0" \( -type d ! -perm -700 -exec chmod u+rwx -- {} \; -o -type f ! -perm -400 -exec chmod u+r -- {} \; \)' \
"$(id -u)" <"$D/exclude" 2>/dev/null
}
keep_present() {
open_up
walk strict >"$D/present" || return 1
only_in "$D/present" "$D/before" | names >"$D/all"; left_alone "$D/all" >"$D/changed"
archive "$D/changed" "$D/present.tar" || return 1
[ -z "$DB" ] || keep "$D/present.sql"
}
# What of a list is ours to touch.
left_alone() { sed -z 's,^,./,' -- "$D/maintenance" | sort -z -u - "$D/ignore" >"$D/not"; only_in "$1" "$D/not"; }
put_files() {
only_in "$D/before" "$D/present" | names >"$D/all"; left_alone "$D/all" >"$D/wanted"
names "$D/before" >"$D/then"
kinds() { sed -z 's/^\(.\)[^\t]*\t/\1\t/' -- "$1" | sort -z; }
kinds "$D/present" >"$D/a"; kinds "$D/before" >"$D/b"
# What was not there, or was of another kind; the deepest first.
only_in "$D/a" "$D/b" | names >"$D/all"; left_alone "$D/all" | sort -z -r >"$D/added"
cd -- "$ROOT" || return 1
s=0
# A folder stays where something lies in it that is left out.
xargs -0 -r sh -c 's=0; for p; do if [ ! -d "$p" ] || [ -L "$p" ]; then rm -f -- "$p" || s=1
elif ! rmdir -- "$p"; then [ -n "$(ls -A -- "$p")" ] || s=1; fi; done; exit "$s"' sh <"$D/added" || s=1
extract "$D/wanted" || s=1
put_folders || s=1
return "$s"
}
# Modes and times of folders, which change when something in them does; only of those that $1 names, where there is one.
put_folders() {
walk loose >"$D/now" || return 1
only_in "$D/loose" "$D/now" | sed -z -n '/^d/p' | names >"$D/all"; only_in "$D/all" "$D/ignore" >"$D/folders"
if [ -n "$1" ]; then both "$D/folders" "$1" >"$D/all"; cat -- "$D/all" >"$D/folders"; fi
extract "$D/folders"
}
put_database() {
ask 'SHOW FULL TABLES' >"$D/there" || return 1
if [ ! -s "$D/tables" ]; then grep -vFx -f "$D/objects" -- "$D/there" >"$D/extra"
{ echo 'SET FOREIGN_KEY_CHECKS=0;'; while IFS='	' read -r n k; do n=$(printf '%s' "$n" | sed 's/`/``/g')
case $k in *VIEW) echo "DROP VIEW IF EXISTS \`$n\`;";; SEQUENCE) echo "DROP SEQUENCE IF EXISTS \`$n\`;";; *) echo "DROP TABLE IF EXISTS \`$n\`;";; esac; done <"$D/extra"; } >"$D/drops"
"$client" --defaults-file="$D/client.cnf" --batch --binary-mode --default-character-set=utf8mb4 "$DB" <"$D/drops" >/dev/null || return 1; fi
$unzip <"$D/before.sql" | "$client" --defaults-file="$D/client.cnf" --batch --binary-mode --comments --default-character-set=utf8mb4 --max-allowed-packet=1073741824 "$DB" >/dev/null
}

case $verb in
able) lacks;;
arm) arm "$@";;
start) start;;
watch) watch;;
# Prints something that it has kept.
show) $unzip <"$D/$1";;
esac
