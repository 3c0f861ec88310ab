<?php
/**
 * Brings the database to the version of the code (wp eval-file): that of the site, or of every site of a
 * network. WP-CLI says how many sites of a network it did and ends with 0 also when some failed, so what the sites have is
 * read afterwards.
 */

require_once __DIR__ . '/network.php';
require ABSPATH . 'wp-includes/version.php';

if ( ! is_multisite() ) {
	WP_CLI::runcommand( 'core update-db', array( 'launch' => false ) );
	return;
}
WP_CLI::runcommand( 'core update-db --network', array( 'launch' => false ) );
$intendant_old = array();
foreach ( intendant_sites() as $intendant_site ) {
	if ( (int) $intendant_site['db_version'] < (int) $wp_db_version ) {
		$intendant_old[] = $intendant_site['domain'] . $intendant_site['path'] . ' (' . $intendant_site['db_version'] . ')';
	}
}
if ( $intendant_old ) {
	WP_CLI::error( count( $intendant_old ) . " of the network's sites still have an older database than the code's $wp_db_version: " . implode( ', ', array_slice( $intendant_old, 0, 5 ) ) );
}
