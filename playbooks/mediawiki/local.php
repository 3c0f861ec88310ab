<?php
/**
 * The configuration with which maintenance scripts run while the wiki can only be read: the site's own, and then the
 * switch counts as off for them.
 */

require ( getenv( 'INTENDANT_ROOT' ) ?: $IP ) . '/LocalSettings.php';
$wgReadOnly = false;
