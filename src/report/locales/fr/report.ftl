# Le rapport du client, en français. Les clés sont les mêmes dans toutes les langues; un test les
# compare. $shown est un nombre tel qu’on le lit, $count le même nombre pour choisir la forme.
# Les espaces devant « : » et dans les guillemets sont insécables.

## Nombres, tailles, durées, dates
number-group = {"\u202F"}
number-decimal = ,
size-b = { $n } o
size-kb = { $n } ko
size-mb = { $n } Mo
size-gb = { $n } Go
size-tb = { $n } To
duration-ms = { $n } ms
duration-s = { $n } s
duration-min = { $min } min { $s } s
duration-h = { $h } h { $min } min
hours = { $count ->
    [0] moins d’une heure
    [one] une heure
   *[other] { $shown } heures
}
days = { $count ->
    [one] un jour
   *[other] { $shown } jours
}
month-year = { $month } { $year }
month-1 = janvier
month-2 = février
month-3 = mars
month-4 = avril
month-5 = mai
month-6 = juin
month-7 = juillet
month-8 = août
month-9 = septembre
month-10 = octobre
month-11 = novembre
month-12 = décembre
date = { $day ->
    [1] 1er { $month } { $year }
   *[other] { $shown } { $month } { $year }
}
time = { $hour } h { $minute }
date-time = { $date } à { $time }
# Les sigles des fuseaux d’Amérique; ailleurs $short est vide et le nom suffit, ou le sigle reste tel quel.
zone-short = { $short ->
    [NST] HNT
    [NDT] HAT
    [AST] HNA
    [ADT] HAA
    [EST] HNE
    [EDT] HAE
    [CST] HNC
    [CDT] HAC
    [MST] HNR
    [MDT] HAR
    [PST] HNP
    [PDT] HAP
   *[other] { $short }
}

## L’en-tête
page-title = Rapport de mise à jour : { $site }, { $date }
page-title-restore = Rapport de restauration : { $site }, { $date }
heading = Rapport de mise à jour
heading-restore = Rapport de restauration
label-client = Client
label-date = Date
label-plan = Plan
label-duration = Durée
plan-line = { $tier ->
    [base] Base
    [advanced] Avancé
    [custom] Sur mesure
   *[other] { $tier }
}
plan-covered = { $plan } ({ $extensions } extensions sur { $cap } au plus)
plan-near = { $plan } ({ $extensions } extensions sur { $cap } au plus : la limite est proche)
plan-over = { $plan } ({ $extensions } extensions, le plan en couvre { $cap })

## Le résultat
outcome-completed = Mis à jour et vérifié
outcome-nothing = Déjà à jour
outcome-completed-with-holds = Mis à jour, avec des mises à jour en attente
outcome-only-holds = Vérifié, avec des mises à jour en attente
outcome-restored = Remis exactement dans son état d’origine
outcome-restored-left = Remis en place, mais pas entièrement
outcome-restored-asked = Restauré, comme demandé
outcome-refused = Rien n’a été modifié
outcome-stuck = Intervention nécessaire
outcome-open = Non terminé

say-installed = { $count ->
    [one] Une mise à jour a été installée. La nouvelle version a été relue sur le site lui-même.
   *[other] { $shown } mises à jour ont été installées. Chaque nouvelle version a été relue sur le site lui-même.
}
say-nothing = Il n’y avait rien à mettre à jour. Le site a été sauvegardé et vérifié.
say-held = { $count ->
    [one] Une mise à jour est en attente. Vous trouverez plus bas pourquoi, et qui peut agir.
   *[other] { $shown } mises à jour sont en attente. Vous trouverez plus bas pourquoi, et qui peut agir.
}
say-checks = { $count ->
    [one] Le site a ensuite réussi sa vérification.
   *[other] Le site a ensuite réussi ses { $shown } vérifications.
}
say-checks-unknown = { $count ->
    [one] Une vérification n’a pas pu être faite.
   *[other] { $shown } vérifications n’ont pas pu être faites.
}
say-backups = { $count ->
    [one] Une sauvegarde complète a été prise et vérifiée.
   *[other] { $shown } sauvegardes complètes ont été prises et vérifiées.
}
say-restored = Quelque chose n’a pas fonctionné : le site a été remis en place à partir de la sauvegarde prise juste avant. Aucune mise à jour n’a été conservée.
say-restored-asked = Le site a été remis en place à partir de la sauvegarde demandée.
say-restored-part = Seule une partie du site a été remise en place, comme demandé.
say-identical = Les fichiers et la base de données ont ensuite été comparés de nouveau à la sauvegarde : ils sont identiques.
say-identical-rows = Les fichiers et la base de données ont ensuite été comparés de nouveau à la sauvegarde : ils sont identiques, à part ce que les visiteurs avaient écrit depuis.
say-rows = { $count ->
    [one] Une entrée arrivée entre-temps, comme une commande ou un commentaire, a été remise en place.
   *[other] { $shown } entrées arrivées entre-temps, comme des commandes ou des commentaires, ont été remises en place.
}
say-rows-left = { $count ->
    [one] Une entrée arrivée entre-temps n’a pas pu être remise en place. Elle est conservée et peut être saisie à la main.
   *[other] { $shown } entrées arrivées entre-temps n’ont pas pu être remises en place. Elles sont conservées et peuvent être saisies à la main.
}
say-rows-unread = Ce qui est arrivé entre-temps n’a pas pu être examiné partout : il peut manquer quelque chose.
say-left = { $count ->
    [one] Les fichiers et la base de données ont ensuite été comparés de nouveau à la sauvegarde : un détail n’a pas pu être rétabli.
   *[other] Les fichiers et la base de données ont ensuite été comparés de nouveau à la sauvegarde : { $shown } détails n’ont pas pu être rétablis.
}
say-works = Le site réussit ses vérifications, comme avant.
say-works-now = Le site réussit ses vérifications.
say-refused = Les mises à jour n’ont pas commencé et le site n’a pas été touché.
say-refused-restore = La restauration n’a pas commencé et le site n’a pas été touché.
say-refused-again = Elles seront tentées de nouveau dans une prochaine fenêtre d’entretien.
say-stuck = Les mises à jour n’ont pas fonctionné, et le site n’a pas pu être remis en place automatiquement. Un spécialiste doit terminer le travail à la main.
say-stuck-checks = Le site a été remis en place à partir de la sauvegarde prise juste avant, mais il ne réussit pas ses vérifications. Un spécialiste doit l’examiner.
say-stuck-later = Des mises à jour ont été installées et ont réussi leurs vérifications; peu après, le site ne les réussissait plus. Ces mises à jour sont toujours en place. Un spécialiste doit examiner le site.
say-stuck-restore = Le site n’a pas pu être remis en place automatiquement. Un spécialiste doit terminer le travail à la main.
say-stuck-restore-checks = Le site a été remis en place à partir de la sauvegarde demandée, mais il ne réussit pas ses vérifications. Un spécialiste doit l’examiner.
say-stuck-backup = La sauvegarde prise avant les mises à jour est complète et vérifiée.
say-open = Ce rapport a été produit avant la fin du travail.
say-interrupted = { $count ->
    [one] Le travail a été interrompu une fois, puis repris.
   *[other] Le travail a été interrompu { $shown } fois, puis repris.
}

tile-updated = { $count ->
    [one] mise à jour installée
   *[other] mises à jour installées
}
tile-held = en attente
tile-checks = { $count ->
    [one] vérification réussie
   *[other] vérifications réussies
}
tile-backups = { $count ->
    [one] sauvegarde vérifiée
   *[other] sauvegardes vérifiées
}
of-total = { $part } sur { $total }

## Mises à jour
updates-title = Ce qui a été mis à jour
updates-title-undone = Ce qui a été tenté
updates-caption = Les versions après la mise à jour sont celles que le site lui-même indique.
updates-caption-undone = « Maintenant » est la version que le site lui-même indique.
column-component = Composant
column-before = Avant
column-after = Après
column-now = Maintenant
kind-line = { $kind ->
    [core] Système
    [plugin] Extension
    [mu-plugin] Extension (obligatoire)
    [dropin] Module de remplacement
    [theme] Thème
    [language] Langue
    [template] Gabarit
    [module] Module
    [component] Composant
    [library] Bibliothèque
    [package] Paquet
    [extension] Extension
    [skin] Habillage
    [file] Ensemble de fichiers
    [profile] Profil d’installation
    [admin-module] Module d’administration
    [admin-template] Gabarit d’administration
   *[other] { $kind }
}
# Un composant dans une phrase, et ce qui lui appartient.
of-name = { $begins ->
    [vowel] d’{ $name }
   *[other] de { $name }
}
the-component = { $kind ->
    [core] le système
    [plugin] l’extension { $name }
    [mu-plugin] l’extension obligatoire { $name }
    [dropin] le module de remplacement { $name }
    [theme] le thème { $name }
    [language] la langue { $name }
    [template] le gabarit { $name }
    [module] le module { $name }
    [component] le composant { $name }
    [library] la bibliothèque { $name }
    [package] le paquet { $name }
    [extension] l’extension { $name }
    [skin] l’habillage { $name }
    [file] l’ensemble de fichiers { $name }
    [profile] le profil d’installation { $name }
    [admin-module] le module d’administration { $name }
    [admin-template] le gabarit d’administration { $name }
   *[other] { $name }
}
of-component = { $kind ->
    [core] du système
    [plugin] de l’extension { $name }
    [mu-plugin] de l’extension obligatoire { $name }
    [dropin] du module de remplacement { $name }
    [theme] du thème { $name }
    [language] de la langue { $name }
    [template] du gabarit { $name }
    [module] du module { $name }
    [component] du composant { $name }
    [library] de la bibliothèque { $name }
    [package] du paquet { $name }
    [extension] de l’extension { $name }
    [skin] de l’habillage { $name }
    [file] de l’ensemble de fichiers { $name }
    [profile] du profil d’installation { $name }
    [admin-module] du module d’administration { $name }
    [admin-template] du gabarit d’administration { $name }
   *[other] de { $name }
}
the-object = { $kind ->
    [table] la table { $name }
    [sequence] la séquence { $name }
    [view] la vue { $name }
    [function] la fonction { $name }
    [procedure] la procédure { $name }
    [trigger] le déclencheur { $name }
    [event] l’événement { $name }
   *[other] { $name }
}
kind-major = { $kind }, nouvelle version majeure
state-line = { $to } : { $state }
state-undone = installée, puis annulée
state-failed = n’a pas fonctionné
state-not-reached = prévue, pas commencée
state-unclear = commencée, résultat incertain
update-fixes = Elle corrige : { $names }.
fix-after = { $name } ({ $time } après sa publication)
update-would-fix = Elle corrigerait : { $names }.
update-special = Version d’essai, installée sur demande.
not-read = non lue
database-title = Base de données
database-kind = Version de sa structure

## Attentes
holds-title = Ce qui est en attente
holds-intro = Voici ce qui existe et n’a pas été installé.
hold-step = { $installed } → { $offered }
hold-step-unknown = { $installed } est installée
hold-who = Qui peut agir :
lifter = { $who ->
    [operator] nous
    [client] vous
    [host] votre hébergeur
    [vendor] l’auteur de l’extension
    [publisher] l’éditeur du système
   *[time] personne n’a à agir, elle suivra d’elle-même
}
hold-policy = { $allows ->
    [none] Le plan exclut les mises à jour de ce genre.
    [minor] Le pas est plus grand que ce que le plan permet (versions mineures seulement).
    [patch] Le pas est plus grand que ce que le plan permet (correctifs seulement).
   *[other] Les règles du plan excluent cette mise à jour ({ $key } : { $allows }).
}
hold-approval = Elle sera installée une fois évaluée et approuvée.
hold-approval-notice = Elle sera installée une fois évaluée et approuvée (avis n° { $notice }).
hold-declined = Elle a été refusée; elle n’est donc pas installée.
hold-manual = Elle doit être faite à la main : { $what }.
hold-special = C’est une version d’essai. De telles versions ne sont installées que sur demande.
hold-immune = Elle a causé des ennuis sur ce site ou sur un site semblable; elle attend que la cause soit comprise.
hold-reported = À la suite de votre signalement n° { $anomaly }, elle est retenue jusqu’au { $until }.
hold-next-window = Elle n’est pas urgente et attend la prochaine fenêtre d’entretien.
hold-lapsed = Le contrat d’entretien a pris fin le { $until }. Sans lui, le site ne reçoit plus de mises à jour et les failles connues restent ouvertes.
hold-postponed = Une des nouvelles versions ne fonctionne pas sur ce site. Pendant qu’on la cherchait, le tour de celle-ci n’est pas venu.
hold-planned = Le plan la retient : { $why }.
hold-planned-until = Le plan la retient jusqu’au { $until } : { $why }.
hold-platform = Elle exige { $part } { $needs }; le serveur a { $has }.
hold-platform-unknown = Elle exige { $part } { $needs }; on ne sait pas quelle version le serveur a.
hold-core = Elle exige la version { $needs } du système; le site a { $has }.
hold-dependency = Elle exige { $on }, qui est absente, désactivée ou trop ancienne.
hold-with = Elle va de pair avec { $other }, qui est en attente.
hold-licence = Elle ne peut pas être téléchargée : la licence est absente ou échue. Avec une licence valide, elle sera installée à la prochaine intervention.
hold-licence-ended = Elle exige une licence, et la nôtre est échue depuis le { $until }. Elle sera installée dès que la licence sera renouvelée.
hold-licence-over-used = Elle exige une licence, et nos licences servent à plus de sites qu’il n’en a été acheté. Elle sera installée quand il y en aura assez.
hold-licence-full = Elle exige une licence, et toutes celles que nous avons servent déjà à d’autres sites. Elle sera installée quand une autre aura été achetée.
hold-licence-no-seat = Elle exige une licence, et aucune n’est encore réservée à ce site. Nous nous en occupons.
hold-licence-by-hand = Elle exige une licence qui doit être inscrite à la main dans le site. Nous nous en occupons.
hold-licence-key = Elle exige une licence dont la clé n’a pas pu être lue cette fois-ci. Nous cherchons pourquoi.
hold-licence-refused = Elle exige une licence, et son éditeur n’a pas accepté la clé. Nous cherchons pourquoi.
hold-modified = { $count ->
    [one] Les fichiers installés ne sont pas ceux d’origine (un fichier diffère : { $files }). Une mise à jour effacerait ces modifications.
   *[other] Les fichiers installés ne sont pas ceux d’origine ({ $shown } fichiers diffèrent, dont { $files }). Une mise à jour effacerait ces modifications.
}
hold-modified-unknown = Les fichiers installés ne sont pas ceux d’origine. Une mise à jour effacerait ces modifications.
hold-outside-plan = Le site a plus d’extensions que son plan n’en couvre. Le plan « { $tier } » le couvrirait.
hold-too-young = Elle est toute récente. Le plan laisse mûrir les nouvelles versions; celle-ci sera prise à partir du { $from }.
hold-unusable = Ce que le site dit de cette mise à jour ne peut pas être utilisé sans risque : { $why }.
hold-not-writable = Le serveur ne nous permet pas de remplacer ses fichiers ({ $path }).
hold-failed = Elle n’a pas fonctionné sur ce site pendant cette intervention : elle a été écartée et le site remis en place.

## Ce que le client a signalé
anomalies-title = Ce que vous nous avez signalé
anomaly-told = Le { $told }, vous nous avez signalé un problème sur { $page }, constaté le { $seen } :
anomaly-quote = « { $text } »
anomaly-screenshots = { $count ->
    [one] Vous y avez joint une capture d’écran.
   *[other] Vous y avez joint { $shown } captures d’écran.
}
anomaly-put-back = Le { $date }, nous avons remis le site dans l’état de la sauvegarde prise avant les mises à jour.
anomaly-held = Les mises à jour { $extension } attendent jusqu’au { $until }.
anomaly-answer = Voici ce que nous avons constaté : { $answer }
anomaly-open = Nous examinons le problème. Vous trouverez notre réponse dans un de nos prochains rapports.

## Ce que quelqu’un d’autre a changé
drift-title = Des changements qui ne viennent pas de nous
drift-intro = Ces changements ont été faits sur le site par quelqu’un d’autre depuis le { $since }, moment où nous l’avons laissé.
drift-intro-unknown = Ces changements ont été faits sur le site par quelqu’un d’autre depuis que nous l’avons laissé.
drift-version = { $what } : { $from } → { $to }
drift-extension-added = Quelqu’un a installé { $what } ({ $to }).
drift-extension-removed = Quelqu’un a retiré { $what } ({ $from }).
drift-extension-version = Quelqu’un a fait passer { $what } de { $from } à { $to }.
drift-extension-activated = Quelqu’un a activé { $what }.
drift-extension-deactivated = Quelqu’un a désactivé { $what }.
drift-unknown-version = une version inconnue
drift-administrator-added = Le compte { $subject } a maintenant les droits d’administration.
drift-administrator-removed = Le compte { $subject } n’a plus les droits d’administration.
drift-administrator-contact = L’adresse courriel de l’administrateur { $subject } a changé.
drift-table-added = Dans la base de données, quelqu’un a ajouté { $what }.
drift-table-removed = Dans la base de données, quelqu’un a retiré { $what }.
drift-table-changed = Dans la base de données, quelqu’un a changé la structure de { $what }.
drift-file-added = Le fichier { $subject } a été ajouté.
drift-file-removed = Le fichier { $subject } a été retiré.
drift-file-changed = Le fichier { $subject } a été modifié.
drift-file-rights = Les droits de { $subject } ont changé : { $from } → { $to }.
drift-not-compared = { $subject ->
    [administrators] Les comptes qui ont les droits d’administrateur n’ont pas pu être comparés à ce qu’ils étaient.
    [tables] La structure des tables de la base de données n’a pas pu être comparée à ce qu’elle était.
   *[other] Les versions et les extensions n’ont pas pu être comparées à ce qu’elles étaient.
}
drift-address = L’adresse du site a changé : { $from } → { $to }.
drift-files = { $count ->
    [one] avec un fichier
   *[other] avec { $shown } fichiers
}
drift-accepted = noté par { $by }
drift-more = { $count ->
    [one] et un autre changement
   *[other] et { $shown } autres changements
}

## Ce qui s’est passé
problem-title = Ce qui s’est passé, et ce qui a été fait
problem-title-refused = Pourquoi rien n’a été fait
problem-step-checks = { $step } : ensuite, le site n’a pas réussi ses vérifications.
problem-step-baseline = Le site n’a pas réussi ses vérifications avant toute intervention.
problem-step-baseline-later = Avant de continuer, le site a été vérifié : il ne réussissait plus ses vérifications.
problem-step = { $step } : cela n’a pas fonctionné.
problem-step-interrupted = { $step } : cela a été interrompu en cours de route.
problem-restored = { $count ->
    [0] Le site a été comparé à la sauvegarde prise avant : rien ne différait.
    [one] Le site a été remis en place à partir de la sauvegarde prise avant. Un fichier ou une table a été rétabli.
   *[other] Le site a été remis en place à partir de la sauvegarde prise avant. { $shown } fichiers et tables ont été rétablis.
}
problem-restored-asked = { $count ->
    [0] Le site a été comparé à la sauvegarde demandée : rien ne différait.
    [one] Le site a été remis en place à partir de la sauvegarde demandée. Un fichier ou une table a été rétabli.
   *[other] Le site a été remis en place à partir de la sauvegarde demandée. { $shown } fichiers et tables ont été rétablis.
}
problem-restore-failed = La remise en place n’a pas fonctionné.
problem-restore-interrupted = La remise en place a été interrompue.
problem-identical = Une seconde comparaison n’a trouvé aucune différence.
problem-identical-rows = Une seconde comparaison n’a trouvé aucune différence, à part ce que les visiteurs avaient écrit depuis.
problem-rows = Ce que les visiteurs avaient écrit depuis la sauvegarde :
problem-rows-table = { $table } : { $back } remises en place
problem-rows-changed = { $line }, { $changed } ramenées à la sauvegarde
problem-rows-left = { $line }, { $left } non remises en place
problem-rows-unread = non examiné : { $what }
problem-left = { $count ->
    [one] Une seconde comparaison a trouvé une différence qui n’a pas pu être rétablie :
   *[other] Une seconde comparaison a trouvé { $shown } différences qui n’ont pas pu être rétablies :
}
problem-good = Les vérifications ont été refaites : toutes ont réussi.
problem-not-good = Les vérifications ont été refaites : certaines ont échoué.
problem-again = Le travail a ensuite repris sans ce qui avait échoué.
problem-detail = Détail pour les techniciens
problem-todo = Ce qu’un spécialiste doit faire

refusal-no-window = Aucune fenêtre d’entretien du plan n’est ouverte en ce moment.
refusal-no-window-next = Aucune fenêtre d’entretien du plan n’est ouverte en ce moment; la prochaine s’ouvre le { $next }.
refusal-blackout = Le plan n’autorise aucun changement jusqu’au { $until } : { $why }.
refusal-contract-ended = Le contrat d’entretien { $number } a pris fin le { $until }. Les mises à jour reprendront à son renouvellement.
refusal-contract-not-begun = Le contrat d’entretien { $number } n’a pas encore commencé.
refusal-over-cap = Le site a { $extensions } extensions, et son plan en couvre { $cap }. Le plan « { $tier } » le couvrirait.
refusal-source-down = Le service de mise à jour { $source } n’a pas pu être joint : personne ne peut dire ce qui est à faire.
refusal-busy = Une autre mise à jour semble en cours sur le site : { $what }.
refusal-busy-since = Une autre mise à jour semble en cours sur le site depuis le { $since } : { $what }.
refusal-drift = Le site a été modifié par quelqu’un d’autre depuis notre dernier passage ({ $count ->
    [one] un changement
   *[other] { $shown } changements
}), et le plan demande d’attendre que quelqu’un l’ait examiné.
refusal-drift-unknown = On n’a pas pu savoir si le site a été modifié depuis notre dernier passage, et le plan demande alors d’attendre.
refusal-unsupported = Les sites de ce genre ne sont pas mis à jour : { $why }.
refusal-failed = Le site n’a pas pu être examiné.

## Vérifications
checks-title = Le site fonctionne-t-il?
checks-title-before = Le site fonctionnait-il avant?
checks-caption = Chaque vérification a été faite avant et après. Une page est demandée comme le ferait un visiteur, puis une seconde fois en contournant tous les caches.
checks-caption-before = Chaque vérification a été faite avant toute intervention.
column-check = Vérification
check-home = Page d’accueil
check-page = Page { $path }
check-command = Commande { $command }
check-log = Journal d’erreurs
# Plusieurs vérifications de la même chose sont numérotées.
check-again = { $check } ({ $number })
seen-passed = réussie
seen-failed = échouée
seen-unknown = impossible à faire
seen-none = non faite
seen-page = statut { $status }, { $time }

reason-no-answer = { $failure ->
    [no-such-host] Le nom du site ne mène à aucune adresse.
    [forbidden-address] Le nom du site mène à une adresse qui n’est pas celle d’un site.
    [unreachable] Rien ne répond à l’adresse du site.
    [tls] Il n’y a pas de connexion sécurisée : le certificat est erroné ou absent.
    [timed-out] La page n’est pas arrivée à temps.
    [broken] La réponse s’est interrompue.
    [too-many-redirects] La page redirige en boucle.
    [leaves-site] La page redirige vers une autre adresse.
    [downgrade] La page redirige vers une adresse non chiffrée.
   *[bad-redirect] La page redirige vers une adresse qui n’existe pas.
}
reason-status = La page répond avec le statut { $got }.
reason-status-before = La page répond avec le statut { $got }; avant, c’était { $before }.
reason-server-error = La page affiche une erreur du serveur (statut { $got }).
reason-missing = Le texte « { $text } » est absent.
reason-forbidden = Le texte « { $text } » apparaît.
reason-ends-elsewhere = La page mène à { $got } au lieu de { $expected }.
reason-moved = La page mène à { $got }; avant, elle menait à { $before }.
reason-slow = Elle a pris { $took }; le maximum permis est de { $limit }.
reason-empty = La page est vide.
reason-shrunk = La page ne fait que { $got }; avant, elle faisait { $before }.
reason-cut-short = La page s’arrête en plein milieu.
reason-hidden = Les visiteurs voient encore une copie venant d’un cache. Derrière celle-ci : { $reason }
reason-stopped = La commande ne s’est pas terminée à temps.
reason-exit = La commande s’est terminée avec le statut { $got }.
reason-printed = La commande a répondu autre chose que prévu.
reason-fatal = { $count ->
    [one] Le journal d’erreurs contient une nouvelle erreur grave.
   *[other] Le journal d’erreurs contient { $shown } nouvelles erreurs graves.
}

## Sauvegardes
backups-title = Sauvegardes
backups-caption = Chaque sauvegarde est complète, a été relue octet par octet et peut être remise en place à l’identique.
column-backup = Sauvegarde
column-content = Contenu
column-verified = Vérifiée
backup-before = Avant les mises à jour
backup-after = Après les mises à jour
backup-attempt = { $backup } (tentative { $attempt })
backup-files = { $count ->
    [one] { $shown } fichier
   *[other] { $shown } fichiers
}
backup-objects = { $count ->
    [0] sans base de données
    [one] { $shown } table
   *[other] { $shown } tables
}
backup-content = { $files }, { $size }, { $objects }
backup-changed = { $count ->
    [0] rien n’a changé depuis la sauvegarde précédente
    [one] un changement depuis la sauvegarde précédente
   *[other] { $shown } changements depuis la sauvegarde précédente
}

## Restaurations prouvées
proven-title = Restauration d’essai
proven-restore = Dernière restauration prouvée : { $date }, { $took }.
proven-all = Une sauvegarde a été remise en place au complet à côté du site, fichiers et base de données, puis comparée : elle était identique.
proven-files = Les fichiers d’une sauvegarde ont été remis en place à côté du site, puis comparés : ils étaient identiques. La base de données n’a pas pu y être essayée.
proven-no-start = Une sauvegarde a été remise en place au complet à côté du site, fichiers et base de données, puis comparée : elle était identique. La copie n’a pas pu y démarrer.
proven-failed = Un essai plus récent, le { $date }, n’a pas réussi.

## Étapes
steps-title = Emploi du temps
steps-caption = Les heures sont celles du fuseau horaire { $zone }.
column-start = Début
column-step = Étape
column-duration = Durée
attempt-step = { $step } (tentative { $attempt })
step-interrupted = interrompue
step-failed = { $step } : n’a pas réussi
step = { $kind ->
    [look] Examen du site et décision
    [lock] Réservation du site
    [baseline] Vérification du site, avant
    [snapshot-before] Sauvegarde vérifiée, avant
    [arm] Mise en veille du retour automatique
    [disarm] Fin de la veille du retour automatique
    [maintenance-on] Affichage de la page d’entretien
    [prepare] Demande des dernières versions
    [licence] Inscription de la licence { $title }
    [update] Mise à jour { $title }
    [migrate] Mise à jour de la base de données
    [languages] Mise à jour des langues
    [quick-checks] Vérification du site
    [flush] Vidage des caches
    [restart] Redémarrage des programmes du site
    [maintenance-off] Réouverture du site
    [full-checks] Vérification complète du site
    [snapshot-after] Sauvegarde vérifiée, après
    [restore] Remise en place du site
    [restored-checks] Vérification du site remis en place
   *[unlock] Libération du site
}

## Que faire
help-title = Si quelque chose ne va pas
help-intro = Dites-le-nous dès que vous le remarquez, en précisant :
help-when = la date et l’heure;
help-page = l’adresse de la page;
help-what = ce que vous voyez et ce que vous attendiez, si possible avec une capture d’écran;
help-device = le navigateur, le système et l’appareil.
help-hands-off = Ne mettez rien à jour vous-même : chaque changement est planifié, sauvegardé et vérifié.
help-contact = Pour nous joindre :

## La lettre devant un rapport
letter-label = Lettre
letter-date = Le { $date }
letter-dear = Madame, Monsieur,
letter-run = Vous trouverez aux pages suivantes notre rapport sur la mise à jour de votre site { $site }. En bref :
letter-restore = Vous trouverez aux pages suivantes notre rapport sur la restauration de votre site { $site }. En bref :
letter-month = Vous trouverez aux pages suivantes notre rapport mensuel ({ $month }). En bref :
letter-notices = Vous trouverez aux pages suivantes ce qui attend une réponse au sujet de votre site { $site }. En bref :
letter-contact = Si quelque chose vous semble anormal, ou pour toute question, n’hésitez pas à nous joindre : { $contact }
letter-ask = Si quelque chose vous semble anormal, ou pour toute question, n’hésitez pas à nous joindre.
letter-closing = Nous vous prions d’agréer, Madame, Monsieur, nos salutations distinguées.

## Le pied
foot-run = Intervention { $run }
foot-program = Intendant { $version }
foot-procedure = procédure { $digest }
foot-plan = plan { $digest }

## La page d’un examen d’entrée
intake-title = Examen d’entrée : { $site }, { $date }
intake-heading = Examen avant le plan
intake-label-core = Système
intake-label-extensions = Extensions
intake-accept = Le site peut entrer dans son plan
intake-conditions = Le site peut entrer dans son plan quand certains points seront réglés
intake-refuse = Le site ne peut pas entrer dans son plan tel qu’il est
intake-looked = { $files } fichiers et { $objects } parties de la base de données ont été examinés, avec { $rules } règles.
intake-estimate = { $count ->
    [one] L’amener aux versions majeures actuelles demande environ une minute de travail.
   *[other] L’amener aux versions majeures actuelles demande environ { $shown } minutes de travail.
}
intake-critical = À remettre en ordre d’abord
intake-high = Conditions
intake-medium = À examiner, ou à convenir
intake-low = Bon à savoir
intake-todo = À faire :
intake-line = ligne { $line }
intake-place-files = Fichiers et tables
intake-place-updates = Mises à jour
intake-place-checks = Vérifications
intake-place-address = Adresse du site
intake-place-administrators = Comptes d’administration
intake-unknown = Ce qui n’a pas pu être examiné
intake-record = Dossier { $id }

## Le mois
monthly-page-title = Rapport mensuel : { $title }, { $month }
monthly-heading = Rapport mensuel
monthly-fleet = Tous les sites
monthly-label-month = Mois
monthly-label-sites = Sites
monthly-good = Entretenu et vérifié
monthly-waiting = Entretenu et vérifié; quelque chose attend votre intervention
monthly-tried = Vérifié; tout n’a pas fonctionné
monthly-refused = Rien n’a pu être fait ce mois-ci
monthly-act = Demande une intervention
monthly-none = Aucun entretien ce mois-ci
monthly-until = Le mois n’est pas terminé : voici la situation au { $date }.
monthly-no-site = Il n’y a aucun site à présenter.
monthly-no-run = Aucun entretien de ce site n’a eu lieu ce mois-ci.
monthly-idle = { $count ->
    [one] Un site n’a eu aucun entretien ce mois-ci; il est nommé ci-dessous.
   *[other] { $shown } sites n’ont eu aucun entretien ce mois-ci; ils sont nommés ci-dessous.
}
monthly-stuck = { $count ->
    [one] Sur un site, le travail n’a pas pu être terminé automatiquement. Un spécialiste doit le terminer à la main.
   *[other] Sur { $shown } sites, le travail n’a pas pu être terminé automatiquement. Un spécialiste doit le terminer à la main.
}
monthly-open = { $count ->
    [one] Sur un site, le travail n’était pas terminé au moment où ceci a été écrit.
   *[other] Sur { $shown } sites, le travail n’était pas terminé au moment où ceci a été écrit.
}
monthly-only-refused = { $count ->
    [one] Sur un site, aucun travail n’a pu commencer ce mois-ci; la raison est donnée ci-dessous.
   *[other] Sur { $shown } sites, aucun travail n’a pu commencer ce mois-ci; les raisons sont données ci-dessous.
}
monthly-updates = { $count ->
    [0] Aucune mise à jour n’a été installée.
    [one] Une mise à jour a été installée. Sa nouvelle version a été relue sur le site lui-même.
   *[other] { $shown } mises à jour ont été installées. Chaque nouvelle version a été relue sur le site lui-même.
}
monthly-fixed = { $count ->
    [one] Un composant n’a plus les vulnérabilités qui avaient été rendues publiques.
   *[other] { $shown } composants n’ont plus les vulnérabilités qui avaient été rendues publiques.
}
monthly-longest = La plus ancienne était publique depuis { $time } quand elle a été corrigée.
monthly-checks = { $count ->
    [one] La vérification a réussi la dernière fois qu’elle a été faite.
   *[other] Les { $shown } vérifications ont toutes réussi la dernière fois qu’elles ont été faites.
}
monthly-checks-others = { $count ->
    [one] Sur les autres sites, la vérification a réussi la dernière fois qu’elle a été faite.
   *[other] Sur les autres sites, les { $shown } vérifications ont toutes réussi la dernière fois qu’elles ont été faites.
}
monthly-checks-failing = { $count ->
    [one] Une vérification a échoué la dernière fois qu’elle a été faite.
   *[other] { $shown } vérifications ont échoué la dernière fois qu’elles ont été faites.
}
monthly-failed = { $count ->
    [one] Une intervention n’a pas réussi. Ce qui s’est passé et ce qui a été fait est expliqué ci-dessous.
   *[other] { $shown } interventions n’ont pas réussi. Ce qui s’est passé et ce qui a été fait est expliqué ci-dessous.
}
monthly-held-client = { $count ->
    [one] Une mise à jour attend votre intervention; la raison est donnée ci-dessous.
   *[other] { $shown } mises à jour attendent votre intervention; les raisons sont données ci-dessous.
}
monthly-held = { $count ->
    [one] Une mise à jour est en attente et ne demande rien de votre part.
   *[other] { $shown } mises à jour sont en attente et ne demandent rien de votre part.
}
monthly-tile-fixed = { $count ->
    [one] correctif de sécurité
   *[other] correctifs de sécurité
}
monthly-fixes-title = Sécurité : ce qui a été corrigé
monthly-fixes-intro = Ces mises à jour ont corrigé des vulnérabilités que tout le monde pouvait connaître. La durée indique combien de temps c’était possible avant la mise à jour.
monthly-column-closed = Corrigé
monthly-column-versions = Version
monthly-drifts = { $count ->
    [one] Un changement qui n’est pas de nous a été trouvé sur le site. Le rapport de ce jour-là donne les détails.
   *[other] { $shown } changements qui ne sont pas de nous ont été trouvés sur le site. Les rapports de ces jours-là donnent les détails.
}
monthly-runs-title = Ce qui a été fait
monthly-date = { $date } ({ $times } fois)
monthly-dates = du { $from } au { $until } ({ $times } fois)
monthly-more-runs = { $count ->
    [one] Une ligne plus ancienne n’est pas montrée ici.
   *[other] { $shown } lignes plus anciennes ne sont pas montrées ici.
}
monthly-run-nothing = Il n’y avait rien à mettre à jour. Le site a été sauvegardé et vérifié.
monthly-run-completed = { $count ->
    [one] Une mise à jour a été installée et vérifiée.
   *[other] { $shown } mises à jour ont été installées et vérifiées.
}
monthly-run-with-holds = { $count ->
    [one] Une mise à jour a été installée et vérifiée; d’autres sont en attente.
   *[other] { $shown } mises à jour ont été installées et vérifiées; d’autres sont en attente.
}
monthly-run-only-holds = Le site a été sauvegardé et vérifié. Les mises à jour qui existent sont en attente.
monthly-run-asked = Le site a été ramené à une sauvegarde antérieure, comme demandé.
monthly-run-asked-part = Une partie du site a été ramenée à une sauvegarde antérieure, comme demandé.
monthly-run-restored = Quelque chose n’a pas fonctionné; le site a donc été remis exactement comme il était. Aucune mise à jour n’a été gardée.
monthly-run-put-back = Quelque chose n’a pas fonctionné; le site a donc été remis en place. Aucune mise à jour n’a été gardée.
monthly-run-left = Tout n’a pas pu être remis en place; le rapport de ce jour-là donne les détails.
monthly-run-refused = Rien n’a été changé.
monthly-run-stuck = Le travail n’a pas pu être terminé automatiquement. Un spécialiste doit le terminer à la main.
monthly-run-open = Le travail n’était pas terminé au moment où ceci a été écrit.
monthly-times = { $count ->
    [one] en une étape
   *[other] en { $shown } mises à jour
}
monthly-put-back-later = Par la suite, le site ou une partie du site a été ramené à une sauvegarde, comme demandé : cette version n’y est peut-être plus.
monthly-unchecked = Depuis la dernière intervention, le site n’a pas pu être vérifié : on ne sait pas s’il fonctionne.
monthly-checked = Le { $date }, { $part } vérifications sur { $total } ont réussi.
monthly-column-page = Vitesse des pages
monthly-column-first = Avant la première intervention
monthly-column-last = Après la dernière
monthly-backups = { $count ->
    [one] Une sauvegarde complète a été faite et vérifiée ce mois-ci.
   *[other] { $shown } sauvegardes complètes ont été faites et vérifiées ce mois-ci.
}
monthly-last-backup = La dernière est du { $date }.
monthly-not-proven = Aucune restauration d’essai de ce site n’a encore été faite.

## Avis, par courriel
notices-subject = { $count ->
    [one] { $site } : une mise à jour vous attend
   *[other] { $site } : { $shown } mises à jour vous attendent
}
notices-subject-waiting = { $count ->
    [one] { $site } : une mise à jour est en attente
   *[other] { $site } : { $shown } mises à jour sont en attente
}
notices-heading = Avis
notices-title = { $count ->
    [one] Une mise à jour vous attend
   *[other] { $shown } mises à jour vous attendent
}
notices-title-waiting = { $count ->
    [one] Une mise à jour est en attente
   *[other] { $shown } mises à jour sont en attente
}
notices-intro = { $count ->
    [one] Elle attend que quelqu’un décide ou agisse. Répondez en indiquant le numéro de l’avis : oui ou non s’il demande une approbation, fait s’il s’agit d’une tâche.
   *[other] Chacune attend que quelqu’un décide ou agisse. Répondez en indiquant le numéro de l’avis : oui ou non s’il demande une approbation, fait s’il s’agit d’une tâche.
}
notices-list = Ce qui attend
notices-title-line = Avis n° { $notice } – { $title }
notices-line = Avis n° { $notice } – { $title } : { $from } → { $to }
notices-who = { $who ->
    [operator] C’est à nous d’agir.
    [client] C’est à vous d’agir.
    [host] C’est à votre hébergeur d’agir.
    [vendor] C’est à l’auteur de l’extension d’agir.
    [publisher] C’est à l’éditeur du système d’agir.
   *[time] Personne n’a à agir.
}
