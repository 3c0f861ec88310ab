// What stands in a table and should not. The text of a table is SQL: quotes have a backslash before them.

rule table_with_hidden_program {
  meta:
    severity = "critical"
    en = "holds a program that unpacks hidden text and runs it"
    fr = "contient un programme qui décode un texte caché et l’exécute"
  strings:
    $a = /\b(eval|assert)\s*\(\s*@?\s*(gzinflate|gzuncompress|base64_decode|str_rot13)\s*\(/ nocase
    $b = /\beval\s*\(\s*@?\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
  condition:
    database and any of them
}
rule table_with_hidden_frame {
  meta:
    severity = "high"
    en = "holds a frame that visitors can’t see"
    fr = "contient un cadre que les visiteurs ne voient pas"
  strings:
    $frame = /<iframe[^>]{0,300}(width=\\?["']?[01]\\?["']?[^0-9%p][^>]{0,200}height=\\?["']?[01]\\?["']?[^0-9%p]|height=\\?["']?[01]\\?["']?[^0-9%p][^>]{0,200}width=\\?["']?[01]\\?["']?[^0-9%p])/ nocase
    $manager = "googletagmanager.com/ns.html" nocase
  condition:
    database and #frame > #manager
}
rule table_with_script_from_nowhere {
  meta:
    severity = "medium"
    en = "loads a script from a kind of address that honest services rarely have"
    fr = "charge un script d’une sorte d’adresse que les services honnêtes ont rarement"
  strings:
    $a = /<script[^>]{0,200}src=\\?["']?https?:\/\/[a-z0-9.-]{1,100}\.(top|xyz|icu|tk|ml|ga|cf|gq|buzz|cyou|rest)\// nocase
  condition:
    database and $a
}
