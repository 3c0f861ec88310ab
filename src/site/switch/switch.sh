# The dead man's switch: puts a site back on its own host when its runner has gone for good.
#
#   sh switch.sh VERB FOLDER LEASES RUN ROOT AFTER DATABASE
#
# FOLDER is private and holds, besides this: exclude (words for find), maintenance (files that only the maintenance
# switch makes), on (the command that switches it on), restart.N (commands that have what serves the site take the files up), dump (the dump program's arguments), tables (the site's part of a
# shared database, else empty), scripts, and clear.sh, which ends what runs for a run. Lists are of parts that NUL ends.
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

# What the host lacks, in words; nothing when it can do it.
lacks() {
for p in setsid sort uniq sed xargs awk ${sum:-sha256sum}; do command -v "$p" >/dev/null 2>&1 || { echo "it has no $p"; return; }; done
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
names() { sed -z 's/^[^\t]*\t//' -- "$@" | sort -z; }

# Archives the files that $1 names as $2, which is there only when it is whole.
archive() {
cd -- "$ROOT" || return 1
{ $tar -c --hard-dereference -f - -T "$1" 2>"$D/said"; echo $? >"$D/archived"; } | $zip >"$2.part" || return 1
case $(cat "$D/archived") in 0|1) mv -f -- "$2.part" "$2";; *) return 1;; esac
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
if [ "$silent" -ge "$AFTER" ]; then heal "$h"; silent=0; fi
done
}

# Ends this when a runner has taken over.
ours() { [ -d "$mine" ] || exit 0; }
failed() { echo "$1" >>"$D/failed"; }
heal() {
mine=$L/held.$RUN.$((${1##*.} + 1))
mv -T -- "$1" "$mine" 2>/dev/null || return 0
date +%s | tee -- "$D/began" >"$mine/healed"
until sh "$D/clear.sh" '' "$RUN" stay; do sleep "$step"; ours; done
if [ -s "$D/on" ]; then (cd -- "$ROOT" && umask "$mask" && list sh -c 'exec "$@"' sh <"$D/on") >/dev/null 2>&1; fi
# Nothing is overwritten before all of it is kept.
i=0; until keep_present; do i=$((i+1)); if [ "$i" -ge 1000 ]; then failed 'what is there now can not be kept'; date +%s >"$D/ended"; exit 0; fi; sleep "$step"; ours; done
echo kept >"$D/kept"; ours
put_files || failed 'files could not be put back'
ours
if [ -n "$DB" ]; then i=0; until put_database; do i=$((i+1)); if [ "$i" -ge 20 ]; then failed 'the database could not be put back'; break; fi; sleep "$step"; ours; done
[ "$(dump 2>/dev/null | "$sum")" = "$(cat -- "$D/before.sum")" ] || failed 'the database differs still'; fi
if [ ! -s "$D/failed" ]; then
# What keeps visitors out goes last.
(cd -- "$ROOT" && tr '\0' '\n' <"$D/maintenance" | while IFS= read -r f; do [ -z "$f" ] || rm -f -- "./$f"; done)
put_folders; fi
walk loose >"$D/now" && only_in "$D/loose" "$D/now" | names >"$D/a" && only_in "$D/now" "$D/loose" | names >"$D/b"
sort -z -u -- "$D/a" "$D/b" >"$D/c"; only_in "$D/c" "$D/ignore" >"$D/differs"
if [ -s "$D/differs" ]; then failed 'some files differ still'; fi
restart
# The credentials have done their work.
rm -f -- "$D/client.cnf"; date +%s >"$D/ended"; exit 0
}
# What serves the site may still run code that is gone. Each command in a session of its own, which outlives this one.
restart() {
for f in "$D"/restart.*; do
[ -s "$f" ] || continue
(cd -- "$ROOT" && umask "$mask" && list ${limit:+"$limit" 300} setsid sh -c 'exec "$@"' sh <"$f") </dev/null >/dev/null 2>&1 || failed 'what serves the site could not be restarted'
done
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
bad=0
xargs -0 -r sh -c 's=0; for p; do if [ -d "$p" ] && [ ! -L "$p" ]; then rmdir -- "$p"; else rm -f -- "$p"; fi || s=1; done; exit "$s"' sh <"$D/added" || bad=1
extract "$D/wanted" || bad=1
put_folders || bad=1
return "$bad"
}
# Modes and times of folders, which change when something in them does.
put_folders() {
walk loose >"$D/now" || return 1
only_in "$D/loose" "$D/now" | sed -z -n '/^d/p' | names >"$D/all"; only_in "$D/all" "$D/ignore" >"$D/folders"
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
