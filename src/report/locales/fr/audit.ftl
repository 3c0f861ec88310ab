# L’audit, en français. Les clés sont les mêmes dans toutes les langues; un test les compare.

## La page
audit-title = Audit du { $date }
audit-heading = Audit des plans d’entretien
audit-score = Note
audit-score-of = { $score } sur 100
audit-sites = { $count ->
    [one] Site
   *[other] Sites
}
audit-sentence-none = Tout est en règle, pour autant qu’on ait pu regarder.
audit-sentence = { $count ->
    [one] { $shown } point n’est pas en règle.
   *[other] { $shown } points ne sont pas en règle.
}
audit-sentence-waived = { $count ->
    [one] Quelqu’un répond d’un autre point, voir plus bas.
   *[other] Quelqu’un répond de { $shown } autres points, voir plus bas.
}
audit-sentence-unknown = Tout n’a pas pu être examiné, voir plus bas.
audit-outcome-good = En règle
audit-outcome-low = En règle, avec des remarques
audit-outcome-medium = Des points sont à régler
audit-outcome-bad = Il faut agir maintenant
audit-severity = { $severity ->
    [critical] Critique
    [high] Élevée
    [medium] Moyenne
   *[low] Faible
}
audit-history = La note au fil du temps
audit-history-caption = { $count } jours avec un audit, du { $from } au { $to } : la note la plus basse a été { $least }, la dernière est { $last } sur 100.
audit-rules = Par règle
audit-column-severity = Gravité
audit-column-rule = Règle
audit-column-findings = Constats
audit-means = Ce que cela veut dire :
audit-todo = À faire :
audit-fleet = le parc
audit-more-findings = { $count ->
    [one] et un autre
   *[other] et { $shown } autres
}
audit-waived-title = Quelqu’un en répond
audit-waived-by = { $owner } en répond jusqu’au { $day } : { $why }
audit-unknown-title = Ce qui n’a pas pu être examiné

## Preuves
audit-why = { $why }
audit-more = { $count ->
    [one] et une autre
   *[other] et { $count } autres
}
audit-last-run = dernière intervention le { $at } : { $outcome ->
    [completed] terminée
    [completed-with-holds] terminée, avec des mises à jour en attente
    [restored] site remis en place
    [refused] refusée
    [stuck] bloquée
   *[open] inachevée
}
audit-no-run = on ne connaît aucune intervention qui ait commencé
audit-backups-there = { $count ->
    [one] il en reste { $count } sauvegarde
   *[other] il en reste { $count } sauvegardes
}
audit-nothing-recorded = le journal n’en a ni intervention ni examen d’entrée
audit-neighbours = { $count ->
    [0] aucun plan n’est pour un site de { $host }
    [one] { $count } plan est pour un site de { $host }, aucun pour celui-ci
   *[other] { $count } plans sont pour des sites de { $host }, aucun pour celui-ci
}
audit-intake-none = le plan ne nomme aucun examen d’entrée
audit-intake-refused = selon l’examen { $record }, le site ne peut pas entrer dans son plan
audit-intake-unknown = le journal ne connaît pas l’examen { $record }
audit-cap-over = { $count } extensions comptent, le plan en couvre { $cap }; le plan { $tier ->
    [base] Base
    [advanced] Avancé
    [custom] Sur mesure
   *[other] { $tier }
} les couvrirait
audit-cap-near = { $count } extensions comptent, le plan en couvre { $cap }
audit-contract-ended = le contrat { $number } s’est terminé le { $day }
audit-contract-ends = le contrat { $number } se termine le { $day }
audit-licence-held = la version { $installed } est installée, la version { $offered } est offerte sans paquet
audit-pool-ended = ses licences viennent de { $pool }, qui s’est terminé le { $day }
audit-pool-used = { $count } sites en prennent, il y a { $seats } licences
audit-hold-ended = l’attente s’est terminée le { $day } : { $why }
audit-notice-waits = l’avis { $notice }, sur la version { $version }, attend depuis le { $at }
audit-notice-gone = l’avis { $notice }, sur la version { $version }, a expiré le { $at }
audit-anomaly-waits = l’anomalie { $anomaly } attend depuis le { $at }
audit-window = { $count ->
    [one] la fenêtre du { $at } est passée
   *[other] la fenêtre du { $at } est passée, et { $count } de suite ont été manquées
}
audit-refused = une intervention a été refusée : { $why }
audit-vulnerability-fixed = { $name } : la version { $version } la corrige
audit-vulnerability-open = { $name } : rien de ce qui est offert ne la corrige
audit-late-open = { $count ->
    [one] { $name } est ouverte depuis { $count } heure, le plan en promet { $within }
   *[other] { $name } est ouverte depuis { $count } heures, le plan en promet { $within }
}
audit-late-closed = { $count ->
    [one] { $name } a été corrigée après { $count } heure, le plan en promet { $within }
   *[other] { $name } a été corrigée après { $count } heures, le plan en promet { $within }
}
audit-held = sa mise à jour attend { $who ->
    [operator] la personne qui exploite Intendant
    [client] le client
    [host] l’hébergeur
    [vendor] son auteur
   *[time] une prochaine intervention
}
audit-train-ended = la série { $train } a été corrigée jusqu’au { $day }
audit-train-ends = la série { $train } est corrigée jusqu’au { $day }
audit-files = { $count ->
    [0] ses fichiers diffèrent
    [one] un fichier diffère : { $names }
   *[other] { $count } fichiers diffèrent : { $names }{ $more ->
        [0] {""}
       *[other] {" "}et { $more } autres
    }
}
audit-drift = { $count ->
    [one] un changement, vu le { $at }
   *[other] { $count } changements, vus le { $at }
}
audit-drift-change = { $kind ->
    [version] autre version
    [extension-added] extension ajoutée
    [extension-removed] extension retirée
    [extension-version] autre version d’une extension
    [extension-activated] extension activée
    [extension-deactivated] extension désactivée
    [administrator-added] droits d’administration donnés
    [administrator-removed] droits d’administration retirés
    [administrator-contact] autre adresse courriel d’un administrateur
    [table-added] ajouté à la base de données
    [table-removed] retiré de la base de données
    [table-changed] structure changée dans la base de données
    [file-added] fichier ajouté
    [file-removed] fichier retiré
    [file-changed] fichier modifié
    [file-rights] autres droits d’un fichier
    [address] autre adresse du site
   *[not-compared] non comparé
} : { $subject }
audit-backup-none = il n’y en a aucune sauvegarde
audit-backup-newest = la sauvegarde la plus récente est du { $at }
audit-backup-verified = la plus récente que l’on sait entière est du { $at }
audit-backup-never-verified = on n’en sait aucune entière
audit-never-rehearsed = aucune restauration n’a été essayée
audit-rehearsal-failed = l’essai du { $at } n’a pas réussi (sauvegarde { $snapshot })
audit-rehearsal-old = la dernière restauration prouvée est du { $at }
audit-waiver-over = { $owner } en répondait jusqu’au { $day } : { $why }
audit-waiver-no-rule = il n’y a pas de telle règle; { $owner } en répond jusqu’au { $day } : { $why }
audit-waiver-idle = rien de tel n’est constaté; { $owner } en répond jusqu’au { $day } : { $why }

## Règles
audit-rule-plan-unreadable = Plan illisible
audit-means-plan-unreadable = Le fichier enfreint les règles des plans : aucune intervention n’a lieu et aucune autre règle n’examine son site.
audit-todo-plan-unreadable = Lancez intendant validate et corrigez ce qu’il indique.
audit-rule-no-plan = Site sans plan
audit-means-no-plan = Nous sommes intervenus sur le site ou en gardons des sauvegardes, et personne ne le tient à jour.
audit-todo-no-plan = Écrivez un plan avec intendant init; ou, si le client est parti, supprimez ce qui est gardé et consignez-le dans une dérogation.
audit-rule-never-seen = Plan sans site
audit-means-never-seen = Personne n’a jamais examiné le site que ce plan promet d’entretenir.
audit-todo-never-seen = Lancez intendant doctor et intendant intake pour ce site, ou retirez le plan.
audit-rule-neighbour-without-plan = Site sans plan sur une de nos machines
audit-means-neighbour-without-plan = Un site que personne ne met à jour met en danger ses voisins sur la même machine.
audit-todo-neighbour-without-plan = Convenez d’un plan avec son propriétaire, ou déplacez-le.
audit-rule-no-intake = Aucun examen d’entrée accepté
audit-means-no-intake = Personne ne peut montrer que le site était sain au début du plan.
audit-todo-no-intake = Lancez intendant intake et inscrivez dans le plan qui l’a accepté, quand, et le dossier.
audit-rule-over-cap = Au-dessus du plafond
audit-means-over-cap = Les extensions hors plan ne sont pas mises à jour, sauf pour corriger une vulnérabilité connue.
audit-todo-over-cap = Convenez d’un plan plus grand, ou retirez des extensions.
audit-rule-near-cap = Près du plafond
audit-means-near-cap = Quelques extensions de plus, et certaines ne seront plus couvertes.
audit-todo-near-cap = Prévenez le client avant que cela arrive.
audit-rule-contract-lapsed = Contrat terminé
audit-means-contract-lapsed = Les mises à jour ne sont pas dues, et le site prend du retard.
audit-todo-contract-lapsed = Renouvelez le contrat et inscrivez ses dates dans le plan, ou retirez le plan.
audit-rule-contract-ending = Contrat près de sa fin
audit-means-contract-ending = Après son dernier jour, aucune intervention ne commence.
audit-todo-contract-ending = Demandez au client s’il le renouvelle.
audit-rule-licence-missing = Licence manquante
audit-means-licence-missing = Une mise à jour est offerte sans paquet et ne peut pas être appliquée.
audit-todo-licence-missing = Achetez ou renouvelez la licence, et réservez-la au site avec intendant licence, ou inscrivez-la dans le site.
audit-rule-licence-expired = Licence expirée
audit-means-licence-expired = Les licences du lot dont celle-ci provient sont échues.
audit-todo-licence-expired = Renouvelez les licences, et inscrivez leur dernier jour dans le lot : intendant licence add, avec --replace.
audit-rule-licence-over-used = Trop de licences utilisées
audit-means-licence-over-used = Plus de sites prennent dans le lot qu’il n’a de licences.
audit-todo-licence-over-used = Achetez d’autres licences, ou libérez-en : intendant licence release.
audit-rule-hold-past-end = Attente qui est passée
audit-means-hold-past-end = Le plan nomme encore une attente dont le dernier jour est passé : elle ne retient plus rien.
audit-todo-hold-past-end = Retirez-la du plan, ou donnez-lui un nouveau dernier jour.
audit-rule-notice-unanswered = Avis sans réponse
audit-means-notice-unanswered = Une mise à jour attend une décision, ou le travail de quelqu’un.
audit-todo-notice-unanswered = Relancez la personne qui doit agir, puis répondez avec intendant notices.
audit-rule-notice-expired = Avis expiré
audit-means-notice-expired = Personne n’a répondu à temps, personne n’a redemandé, et la mise à jour attend toujours.
audit-todo-notice-expired = Lancez une intervention, qui redemandera, et veillez à ce que le client réponde.
audit-rule-anomaly-unanswered = Anomalie sans réponse
audit-means-anomaly-unanswered = Le client a signalé que quelque chose ne va pas sur le site, et n’a encore rien su.
audit-todo-anomaly-unanswered = Voyez ce que l’intervention d’avant a changé avec intendant anomaly show, corrigez, et répondez avec intendant anomaly close.
audit-rule-window-missed = Fenêtre manquée
audit-means-window-missed = Une fenêtre du plan est passée sans intervention sur le site.
audit-todo-window-missed = Vérifiez que le planificateur fonctionne et ce que disent les refus; puis : intendant run SITE --any-time.
audit-rule-run-stuck = Intervention bloquée
audit-means-run-stuck = Le site n’a pas pu être remis en place, ou ne fonctionnait pas ensuite, et rien n’a été fait depuis.
audit-todo-run-stuck = Agissez maintenant : intendant report SITE dit quoi faire.
audit-rule-run-restored = Remis en place sans suite
audit-means-run-restored = Une mise à jour a brisé le site, il a été remis en place, et aucune intervention n’a suivi.
audit-todo-run-restored = Lisez la raison, retenez la cause ou choisissez on-failure: isolate, et relancez l’intervention.
audit-rule-run-open = Intervention inachevée
audit-means-run-open = Une intervention a été interrompue il y a plus d’un jour; le site est peut-être à mi-chemin.
audit-todo-run-open = Lancez intendant recover.
audit-rule-security-late = Mise à jour de sécurité en retard
audit-means-security-late = Une vulnérabilité connue est restée ouverte plus longtemps que le plan ne le promet.
audit-todo-security-late = Lancez une intervention maintenant; avec updates.security.outside-windows, elle n’attend pas la fenêtre.
audit-rule-vulnerable = Vulnérabilité connue
audit-means-vulnerable = Ce qui est installé a une vulnérabilité que tout le monde peut connaître.
audit-todo-vulnerable = Appliquez la version qui la corrige; s’il n’y en a pas, désactivez le composant ou convenez du risque.
audit-rule-core-end-of-life = Système en fin de vie
audit-means-core-end-of-life = Plus personne ne corrige ce qui est trouvé dans cette série du système.
audit-todo-core-end-of-life = Convenez avec le client du passage à une version majeure plus récente.
audit-rule-platform-end-of-life = Plateforme en fin de vie
audit-means-platform-end-of-life = Plus personne ne corrige ce qui est trouvé dans cette série, par exemple de PHP.
audit-todo-platform-end-of-life = Demandez à l’hébergeur une série plus récente; si une distribution la corrige, dites-le sous rules.audit.end-of-life.
audit-rule-end-of-life-near = Fin de vie proche
audit-means-end-of-life-near = Bientôt, plus personne ne corrigera ce qui est trouvé dans cette série.
audit-todo-end-of-life-near = Prévoyez le passage à une série plus récente pendant qu’il est temps.
audit-rule-abandoned = Extension abandonnée
audit-means-abandoned = Son auteur l’a abandonnée : personne ne corrige ce qui y est trouvé.
audit-todo-abandoned = Remplacez-la par une autre qui est entretenue.
audit-rule-modified = Fichiers modifiés
audit-means-modified = Ses fichiers ne sont pas ceux qui ont été publiés : une mise à jour écraserait ce que quelqu’un a changé; elle est retenue.
audit-todo-modified = Cherchez qui les a changés; remettez les originaux, ou lancez avec --accept-modified.
audit-rule-drift = Changé par quelqu’un d’autre
audit-means-drift = Quelqu’un a changé le site en dehors des interventions.
audit-todo-drift = Regardez avec intendant drift, demandez au client, et prenez-en note avec --accept.
audit-rule-no-backup = Aucune sauvegarde
audit-means-no-backup = Nous ne pourrions pas remettre le site en place s’il lui arrivait quelque chose maintenant.
audit-todo-no-backup = Lancez intendant snapshot create; si des sauvegardes ont disparu du dépôt, cherchez pourquoi.
audit-rule-backup-old = Sauvegarde ancienne
audit-means-backup-old = Ce qui a été écrit depuis serait perdu.
audit-todo-backup-old = Lancez une intervention, ou intendant snapshot create.
audit-rule-backup-unverified = Sauvegarde non vérifiée
audit-means-backup-unverified = Personne n’a relu les sauvegardes récentes; personne ne sait si elles sont entières.
audit-todo-backup-unverified = Lancez intendant snapshot rehearse, ou une intervention, qui vérifie ses sauvegardes.
audit-rule-restore-unproven = Restauration non prouvée
audit-means-restore-unproven = On ne sait qu’une sauvegarde fonctionne que lorsqu’elle a été remise en place quelque part et comparée.
audit-todo-restore-unproven = Lancez intendant snapshot rehearse.
audit-rule-waiver-expired = Dérogation échue
audit-means-waiver-expired = Plus personne ne répond de ce que cette dérogation couvrait.
audit-todo-waiver-expired = Réglez la question, ou faites fixer un nouveau dernier jour par son responsable; puis retirez l’ancienne des réglages.
audit-rule-waiver-unused = Dérogation sans objet
audit-means-waiver-unused = Elle ne correspond à aucun constat; plus tard, elle pourrait cacher ce à quoi personne n’a pensé.
audit-todo-waiver-unused = Retirez-la des réglages.
