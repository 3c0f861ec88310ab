<?php
/**
 * Prints the versions that are on disk, and the database's, as one JSON document after a marker
 * line. Runs inside WordPress without plugins and themes (wp eval-file --skip-plugins
 * --skip-themes), so that it tells the truth about a site whose extensions are broken.
 */

global $wpdb;

require_once __DIR__ . '/network.php';

// Reading must not write: WordPress would remember its theme folders, on a site just restored.
wp_using_ext_object_cache( false );
add_filter(
	'query',
	static function ( $query ) {
		$reads = preg_match( '/^[\s(]*(?:SELECT|SHOW|DESCRIBE|DESC|EXPLAIN|SET|USE)\b/i', $query );
		return $reads ? $query : 'DO 0';
	},
	PHP_INT_MAX
);

require_once ABSPATH . 'wp-admin/includes/plugin.php';
require ABSPATH . 'wp-includes/version.php';

$intendant_versions = array( 'core:core' => (string) $wp_version );
foreach ( get_plugins() as $file => $plugin ) {
	$slug = '.' === dirname( $file ) ? basename( $file, '.php' ) : dirname( $file );
	if ( ! isset( $intendant_versions[ 'plugin:' . $slug ] ) ) {
		$intendant_versions[ 'plugin:' . $slug ] = (string) $plugin['Version'];
	}
}
foreach ( wp_get_themes( array( 'errors' => null ) ) as $slug => $theme ) {
	$intendant_versions[ 'theme:' . $slug ] = (string) $theme->get( 'Version' );
}

echo "\n@intendant-versions@" . wp_json_encode(
	array(
		'versions' => $intendant_versions,
		'database' => array(
			'code' => (string) $wp_db_version,
			'data' => intendant_data_version( intendant_sites() ),
		),
	),
	JSON_INVALID_UTF8_SUBSTITUTE
) . "\n";
