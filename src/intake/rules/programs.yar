// Programs that do what no honest one does. `ext` is the end of a file's name in small letters, `name` all of it, `content` whether
// it lies among content, `database` whether it is the text of a table. `severity`: critical, high, medium or low.

private rule php {
  strings:
    $open = "<?php" nocase
    $short = "<?="
    $shortest = "<?"
  condition:
    not database and ($open or $short or $shortest and (ext == "php" or ext == "phtml" or ext == "pht" or ext == "phar" or ext == "inc"))
}

rule eval_of_request {
  meta:
    severity = "critical"
    en = "runs whatever a visitor sends as a program"
    fr = "exécute comme programme tout ce qu’un visiteur envoie"
  strings:
    $a = /\b(eval|assert)\s*\(\s*@?((stripslashes|trim|base64_decode|urldecode|rawurldecode|gzinflate|gzuncompress|str_rot13|strrev|hex2bin)\s*\(\s*@?){0,4}\$_(GET|POST|REQUEST|COOKIE|SERVER|FILES)\b/ nocase
  condition:
    php and $a
}
rule eval_of_input {
  meta:
    severity = "critical"
    en = "runs the body of a request as a program"
    fr = "exécute comme programme le corps d’une requête"
  strings:
    $a = /\b(eval|assert)\s*\([^;]{0,80}(file_get_contents|fopen)\s*\(\s*["']php:\/\/input/ nocase
  condition:
    php and $a
}
rule eval_of_hidden {
  meta:
    severity = "critical"
    en = "unpacks hidden text and runs it as a program"
    fr = "décode un texte caché et l’exécute comme programme"
  strings:
    $a = /\b(eval|assert)\s*\(\s*@?\s*("\?>"\s*\.\s*)?(gzinflate|gzuncompress|gzdecode|base64_decode|str_rot13|strrev|hex2bin|convert_uudecode|rawurldecode|urldecode)\s*\(/ nocase
  condition:
    php and $a
}
rule eval_of_remote {
  meta:
    severity = "critical"
    en = "fetches a program from elsewhere and runs it"
    fr = "va chercher ailleurs un programme et l’exécute"
  strings:
    $a = /\beval\s*\([^;]{0,40}(file_get_contents\s*\(\s*["']https?:|curl_exec\s*\(|wp_remote_retrieve_body\s*\()/ nocase
  condition:
    php and $a
}
rule call_of_request {
  meta:
    severity = "critical"
    en = "calls whatever function a visitor names"
    fr = "appelle n’importe quelle fonction qu’un visiteur nomme"
  strings:
    $a = /\$_(GET|POST|REQUEST|COOKIE)\s*\[\s*["']?[A-Za-z0-9_]{1,40}["']?\s*\]\s*\(/
    $b = /\$\{\s*["']_(GET|POST|REQUEST|COOKIE)["']\s*\}\s*\[[^\]]{1,40}\]\s*\(/
  condition:
    php and any of them
}
rule callback_of_request {
  meta:
    severity = "critical"
    en = "hands a function that a visitor names to another one"
    fr = "confie à une fonction le nom de fonction qu’un visiteur envoie"
  strings:
    $a = /\b(call_user_func|call_user_func_array|array_map|array_walk|usort|uasort|uksort|register_shutdown_function|ob_start)\s*\(\s*@?\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
    $b = /\barray_filter\s*\([^;]{0,80},\s*@?\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
  condition:
    php and any of them
}
rule command_of_request {
  meta:
    severity = "critical"
    en = "runs a command of the system that a visitor sends"
    fr = "exécute une commande du système qu’un visiteur envoie"
  strings:
    $a = /\b(system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec)\s*\(\s*[^;)]{0,60}\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
    $b = /(=|\becho|\bprint|\breturn|\()[ \t]*@?`[^`\n]{0,60}\$_(GET|POST|REQUEST|COOKIE)\b[^`\n]{0,60}`/
  condition:
    php and any of them
}
rule pattern_runs_code {
  meta:
    severity = "critical"
    en = "replaces text in a way that runs it as a program"
    fr = "remplace du texte d’une manière qui l’exécute comme programme"
  strings:
    $a = /\bpreg_replace\s*\(\s*["'](\/[^\/"'\n]{0,80}\/|#[^#"'\n]{0,80}#|~[^~"'\n]{0,80}~)[imsxuADSUXJ]{0,4}e[imsxuADSUXJ]{0,4}["']\s*,/
  condition:
    php and $a
}
rule made_function {
  meta:
    severity = "critical"
    en = "makes a function out of text that is hidden or comes from a visitor"
    fr = "fabrique une fonction avec un texte caché ou venu d’un visiteur"
  strings:
    $a = /\bcreate_function\s*\([^;]{0,200}(\$_(GET|POST|REQUEST|COOKIE)\b|base64_decode|gzinflate|str_rot13|\beval\b)/ nocase
  condition:
    php and $a
}
rule include_of_request {
  meta:
    severity = "critical"
    en = "loads whatever file a visitor names"
    fr = "charge n’importe quel fichier qu’un visiteur nomme"
  strings:
    $a = /\b(include|require)(_once)?\s*\(?\s*@?\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
  condition:
    php and $a
}
rule include_in_disguise {
  meta:
    severity = "critical"
    en = "loads a program from a file whose name is hidden, or is that of a picture"
    fr = "charge un programme dans un fichier dont le nom est caché, ou est celui d’une image"
  strings:
    $picture = /\b(include|require)(_once)?[\s(]{1,4}["'][^"'\n]{1,200}\.(ico|png|jpe?g|gif|webp|bmp)["']/ nocase
    $escaped = /\b(include|require)(_once)?[\s(]{1,4}"([^"\\\n]{0,20}\\(x[0-9a-f]{2}|[0-7]{2,3})){3}/ nocase
  condition:
    php and any of them
}
rule escaped_names {
  meta:
    severity = "critical"
    en = "hides the names of its variables and functions"
    fr = "cache les noms de ses variables et de ses fonctions"
  strings:
    $a = /\$\{\s*"(\\x[0-9a-fA-F]{2}|\\[0-7]{2,3}){4,}/
    $b = /"(\\x[0-9a-fA-F]{2}){6,24}"\s*\(/
    $c = /\$[A-Za-z_0-9]{1,20}\s*=\s*"(\\x[0-9a-fA-F]{2}|\\[0-7]{3}){6,30}";\s*\$[A-Za-z_0-9]{1,20}\s*=\s*\$[A-Za-z_0-9]{1,20}\s*\(/
  condition:
    php and any of them
}
rule jumping_program {
  meta:
    severity = "critical"
    en = "jumps about so that nobody can read it"
    fr = "saute d’un endroit à l’autre pour que personne ne puisse le lire"
  strings:
    $jump = /\bgoto\s+[A-Za-z0-9]{4,8};/
    $hex = /"[^"\n]{0,20}\\(x[0-9a-f]{2}|[0-7]{2,3})/ nocase
  condition:
    php and #jump > 12 and $hex
}
rule names_of_zeros {
  meta:
    severity = "critical"
    en = "has names of variables that nobody can tell apart"
    fr = "a des noms de variables que personne ne peut distinguer"
  strings:
    $a = /\$[O0_]{5,12}[^A-Za-z0-9_]/
  condition:
    php and #a > 8
}
rule long_hidden_text {
  meta:
    severity = "critical"
    en = "holds a long hidden text and runs programs out of text"
    fr = "contient un long texte caché et exécute du texte comme programme"
  strings:
    $text = /["'][A-Za-z0-9+\/=]{1000,}["']/
    $hex = /["'](\\x[0-9a-fA-F]{2}){200,}["']/
    $run = /\b(eval|create_function)\s*\(/
    $unpack = /\b(base64_decode|gzinflate|gzuncompress|str_rot13|hex2bin|pack)\s*\(/
  condition:
    php and ($text or $hex) and $run and $unpack
}
rule letters_one_by_one {
  meta:
    severity = "critical"
    en = "puts together letter by letter what it runs"
    fr = "assemble lettre par lettre ce qu’il exécute"
  strings:
    $chr = /(\bchr\s*\(\s*[0-9^+\-]{1,9}\s*\)\s*\.\s*){4,}/ nocase
    $run = /\b(eval|assert|create_function)\s*\(/
    $call = /=\s*(chr\s*\(\s*[0-9]{1,3}\s*\)\s*\.\s*){4,}chr\s*\(\s*[0-9]{1,3}\s*\)\s*;\s*(@?\$[A-Za-z_0-9]{1,20}\s*\(|return)/ nocase
  condition:
    php and ($chr and $run or $call)
}
rule split_names {
  meta:
    severity = "critical"
    en = "hides the name of a function that unpacks or runs text"
    fr = "cache le nom d’une fonction qui décode ou exécute du texte"
  strings:
    $a = /["']b(a(s(e)?)?)?["']\s*\.\s*["'][^;\n]{1,40}(code|de|e)["']\s*;/
    $b = /["']edoced_46esa[b]["']/
    $c = /["']etalfniz[g]["']/
    $d = /["']onfr64_qrpbq[r]["']/
    $e = /["'](ass|as|a)["']\s*\.\s*["'](s?ert|sert|rt)["']/
    $f = /["']cr["']\s*\.\s*["']eate_["']/
  condition:
    php and ($b or $c or $d or $e or $f or ($a and not ext == "js"))
}
rule web_shell {
  meta:
    severity = "critical"
    en = "is, or names itself, a known tool of intruders"
    fr = "est, ou se dit, un outil connu des intrus"
  strings:
    $1 = /\b(c9[9]sh|r5[7]sh|b37[4]k|p0wn[y]|indo[x]ploit|wee[v]ely|anonymous[f]ox|g0v[s]hell|gel4[y]|alfa[ -]?te[a]m|fx29s[h]|wso[ _]?sh[e]ll|mini ?sh[e]ll|priv8 ?sh[e]ll)/ nocase
    $2 = /\bFiles[M]an\b/
    $3 = /(web|php)[ _-]?sh[e]ll by\b/ nocase
  condition:
    php and any of them
}
rule bare_uploader {
  meta:
    severity = "critical"
    en = "takes any file from anybody and keeps it"
    fr = "accepte n’importe quel fichier de n’importe qui et le garde"
  strings:
    $files = "$_FILES"
    $keep = /\b(move_uploaded_file|copy)\s*\(\s*@?\$_FILES/ nocase
    $checked = /(wp_verify_nonce|check_admin_referer|current_user_can|is_user_logged_in|wp_handle_upload|checkToken|MEDIAWIKI)/
  condition:
    php and filesize < 4KB and $files and $keep and not $checked
}
rule write_of_request {
  meta:
    severity = "critical"
    en = "writes what a visitor sends into a file"
    fr = "écrit dans un fichier ce qu’un visiteur envoie"
  strings:
    $a = /\b(file_put_contents|fwrite|fputs)\s*\(\s*[^;]{0,80}\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
  condition:
    php and $a
}
rule dropper {
  meta:
    severity = "critical"
    en = "holds a hidden program and writes it into a file"
    fr = "contient un programme caché et l’écrit dans un fichier"
  strings:
    $php = /["']PD9w[a]H/
    $write = /\b(file_put_contents|fwrite|fputs)\s*\(/ nocase
  condition:
    php and all of them
}
rule mailer {
  meta:
    severity = "critical"
    en = "sends whatever mail a visitor asks for"
    fr = "envoie n’importe quel courriel qu’un visiteur demande"
  strings:
    $a = /\b@?mail\s*\(\s*((stripslashes|base64_decode|urldecode|trim)\s*\(\s*){0,3}@?\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
  condition:
    php and $a
}
rule login_without_password {
  meta:
    severity = "critical"
    en = "logs somebody in who asks for it in the right way, without a password"
    fr = "connecte sans mot de passe qui le demande de la bonne manière"
  strings:
    $a = /isset\s*\(\s*\$_(GET|REQUEST|COOKIE)\s*\[[^{;]{0,120}\{[^}]{0,400}\bwp_set_auth_cookie\s*\(/ nocase
    $b = /\$_(GET|REQUEST|COOKIE)\s*\[[^\]]{1,40}\]\s*={2,3}\s*["'][^{;]{0,80}\{[^}]{0,400}\bwp_set_(auth_cookie|current_user)\s*\(/ nocase
  condition:
    php and any of them
}
rule administrator_from_nowhere {
  meta:
    severity = "critical"
    en = "makes an administrator with a password of its own"
    fr = "crée un administrateur avec son propre mot de passe"
  strings:
    $make = /\bwp_(insert|create)_user\s*\(/
    $role = /(["']role["']\s*=>\s*|set_role\s*\(\s*)["']administrator["']/
    $password = /(["']user_pass["']\s*=>\s*["'][^"'\n]{3,}["']|\bwp_create_user\s*\(\s*["'][^"'\n]{1,60}["']\s*,\s*["'])/
  condition:
    php and all of them
}
rule hidden_administrator {
  meta:
    severity = "critical"
    en = "hides an account from the list of users"
    fr = "cache un compte dans la liste des utilisateurs"
  strings:
    $hook = /\badd_(action|filter)\s*\(\s*["']pre_user_query["']/
    $hide = /user_login\s*(!=|<>|NOT\s+IN)/ nocase
  condition:
    php and all of them
}
rule timed_program {
  meta:
    severity = "critical"
    en = "runs hidden programs by the clock"
    fr = "exécute des programmes cachés à heures fixes"
  strings:
    $cron = /\bwp_schedule_(event|single_event)\s*\(/
    $run = /\b(eval|assert)\s*\(\s*@?[$a-z]/ nocase
  condition:
    php and filesize < 64KB and all of them
}
rule marked_theme {
  meta:
    severity = "critical"
    en = "carries the marks of an infection that spreads through themes"
    fr = "porte les marques d’une infection qui se répand par les thèmes"
  strings:
    $a = /wp[-_]vc[d]/ nocase
    $b = /WP_CD_COD[E]/
    $c = /class\.theme-modules\.ph[p]/
    $d = /class\.plugin-modules\.ph[p]/
  condition:
    php and any of them
}
rule picture_with_program {
  meta:
    severity = "critical"
    en = "is a picture, a font or a document by its name, and holds a program"
    fr = "est une image, une police ou un document par son nom, et contient un programme"
  strings:
    $a = /<\?php[\s\/@$]/ nocase
  condition:
    $a and ext matches /^(jpe?g|png|gif|webp|ico|bmp|svg|woff2?|ttf|eot|pdf|mp3|mp4)$/
}
rule server_runs_pictures {
  meta:
    severity = "critical"
    en = "lets the server run pictures or texts as programs"
    fr = "fait exécuter des images ou des textes comme programmes par le serveur"
  strings:
    $a = /^[ \t]*(AddType|AddHandler|SetHandler|ForceType)[^\n]{0,80}php[^\n]{0,80}\.(jpe?g|png|gif|ico|txt|css|webp|svg)\b/ nocase
    $b = /\n[ \t]*(AddType|AddHandler|SetHandler|ForceType)[^\n]{0,80}php[^\n]{0,80}\.(jpe?g|png|gif|ico|txt|css|webp|svg)\b/ nocase
    $c = /<FilesMatch[^>\n]{0,80}(jpe?g|png|gif|ico|txt|suspected)[^>\n]{0,80}>[^<]{0,200}SetHandler[^\n]{0,60}php/ nocase
  condition:
    name == ".htaccess" and any of them
}
rule program_before_all {
  meta:
    severity = "high"
    en = "has a program run before every page"
    fr = "fait exécuter un programme avant chaque page"
  strings:
    $a = /auto_(prepend|append)_file[ \t="']{1,6}[^\n\s"']{2,}/ nocase
    $known = /wordfence-waf\.php/
  condition:
    name matches /^(\.htaccess|\.user\.ini|php\.ini)$/ and $a and not $known
}
rule visitors_sent_elsewhere {
  meta:
    severity = "critical"
    en = "sends visitors who come from search engines elsewhere"
    fr = "envoie ailleurs les visiteurs qui viennent des moteurs de recherche"
  strings:
    $from = /RewriteCond\s+%\{HTTP_(REFERER|USER_AGENT)\}[^\n]{0,200}(google|bing|yahoo|baidu|yandex)/ nocase
    $to = /RewriteRule\s+\S{1,80}\s+["']?https?:\/\/[^\n%]{4,200}\[[^\]\n]{0,40}R/ nocase
  condition:
    name == ".htaccess" and all of them
}
rule coin_miner {
  meta:
    severity = "critical"
    en = "lets visitors’ machines compute for somebody else"
    fr = "fait calculer les machines des visiteurs pour quelqu’un d’autre"
  strings:
    $a = /(coin[h]ive(\.min)?\.js|Coin[H]ive\.(Anonymous|User)|crypto[n]ight\.(wasm|asm)|deep[M]iner\.|web[m]inepool|crypto-l[o]ot\.com|jse[c]oin\.com|coin[i]mp\.com|mine[r]o\.cc)/ nocase
  condition:
    $a
}
rule injected_script {
  meta:
    severity = "critical"
    en = "holds a script that was injected: it hides what it loads"
    fr = "contient un script injecté : il cache ce qu’il charge"
  strings:
    $codes = /(eval|document\.write|createElement)\s*\(\s*String\.fromCharCode\s*\(\s*([0-9]{1,3}\s*,\s*){15,}/ nocase
    $marked = /if\s*\(\s*(typeof\s+)?nd[s][wxjq]\s*===?/
    $encoded = /(eval|document\.write)\s*\(\s*(unescape|decodeURIComponent|atob)\s*\(\s*["'][%A-Za-z0-9+\/=]{80,}/ nocase
  condition:
    any of them
}
rule script_of_server {
  meta:
    severity = "critical"
    en = "is a script for the server that runs commands that a visitor sends"
    fr = "est un script du serveur qui exécute les commandes qu’un visiteur envoie"
  strings:
    $query = "QUERY_STRING"
    $run = /(\bsystem\s*\(|\bos\.popen\s*\(|\bsubprocess\.|\bexec\s*\(|`\$|\beval\b)/
    // What PHP runs is looked at by the rules for PHP.
    $by_php = /#![ \t]*\/[\w\/.-]{0,60}([ \t]+|\/)php/
  condition:
    ext matches /^(pl|cgi|py|sh|pm)$/ and $query and $run and not $by_php at 0
}
rule native_program {
  meta:
    severity = "high"
    en = "is a program for the machine itself, which has no place in a site"
    fr = "est un programme pour la machine même, qui n’a pas sa place dans un site"
  condition:
    // The second line is hiddeninput.exe, which Symfony's console brings into every vendor folder.
    not database and (uint32(0) == 0x464c457f or (uint16(0) == 0x5a4d and ext == "exe"
      and not (filesize == 9216 and uint32(uint32(0x3c) + 8) == 0x4f6f4dac)))
}
rule page_of_intruders {
  meta:
    severity = "critical"
    en = "says that the site was taken over"
    fr = "dit que le site a été pris d’assaut"
  strings:
    $a = /<title>[^<]{0,60}(hack[e]d by|defac[e]d by|0wn[e]d by|pwn[e]d by)/ nocase
  condition:
    filesize < 512KB and $a
}
