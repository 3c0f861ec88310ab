<?php
/**
 * Starts a restored copy of a site with the copy's own database, and says what it sees. WP-CLI
 * reads this file twice: by --require, before the configuration, and by eval-file, after WordPress
 * has started. The last two arguments are the copy's folder and the name of its database.
 *
 * Nothing of wp-content runs: plugins, must-use plugins and drop-ins could send mail, ask other
 * servers, or write into a cache that the live site shares. Whatever would write is not sent.
 */

if ( ! defined( 'INTENDANT_COPY' ) ) {
	$intendant_words = array_slice( $_SERVER['argv'], -2 );
	define( 'INTENDANT_COPY', rtrim( (string) $intendant_words[0], '/' ) );
	define( 'INTENDANT_COPY_DATABASE', (string) $intendant_words[1] );

	if ( ! is_file( INTENDANT_COPY . '/wp-config.php' ) ) {
		echo "\n@intendant-boot@" . json_encode( array( 'skip' => 'wp-config.php is not in the site\'s own folder, so it is in no snapshot' ) ) . "\n";
		exit( 0 );
	}
	// What is defined first stays: the configuration of the copy still names the live site's.
	define( 'DB_NAME', INTENDANT_COPY_DATABASE );
	foreach ( array( 'WP_CONTENT_DIR' => '', 'WP_PLUGIN_DIR' => '/plugins', 'WPMU_PLUGIN_DIR' => '/mu-plugins', 'WP_LANG_DIR' => '/languages', 'WP_TEMP_DIR' => '/temp' ) as $name => $below ) {
		define( $name, dirname( INTENDANT_COPY ) . '/nothing' . $below );
	}
	foreach ( array( 'DISABLE_WP_CRON', 'WP_HTTP_BLOCK_EXTERNAL', 'DISALLOW_FILE_MODS', 'AUTOMATIC_UPDATER_DISABLED' ) as $name ) {
		define( $name, true );
	}
	foreach ( array( 'WP_CACHE', 'WP_DEBUG_LOG' ) as $name ) {
		define( $name, false );
	}

	WP_CLI::add_hook(
		'after_wp_config_load',
		static function () {
			if ( DB_NAME !== INTENDANT_COPY_DATABASE || 0 !== strpos( (string) WP_CONTENT_DIR, dirname( INTENDANT_COPY ) . '/' ) ) {
				WP_CLI::error( 'the configuration insists on a database or a folder of its own' );
			}
		}
	);
	WP_CLI::add_wp_hook(
		'query',
		static function ( $query ) {
			return preg_match( '/^[\s(]*(?:SELECT|SHOW|DESCRIBE|DESC|EXPLAIN|SET)\b/i', $query ) ? $query : 'DO 0';
		},
		PHP_INT_MAX
	);
	WP_CLI::add_wp_hook( 'pre_wp_mail', '__return_false', PHP_INT_MAX );
	WP_CLI::add_wp_hook( 'pre_http_request', '__return_empty_array', PHP_INT_MAX );
	return;
}

global $wpdb;
require ABSPATH . 'wp-includes/version.php';

echo "\n@intendant-boot@" . json_encode(
	array(
		'root'     => (string) realpath( ABSPATH ),
		'database' => (string) $wpdb->get_var( 'SELECT DATABASE()' ),
		'version'  => (string) $wp_version,
		'settings' => (int) $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name IN ('siteurl', 'home', 'active_plugins')" ),
	),
	JSON_INVALID_UTF8_SUBSTITUTE
) . "\n";
