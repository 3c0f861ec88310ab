<?php
/**
 * Plugin Name: TB Licensed
 * Description: Commercial test plugin with its own updater. Without a licence key (option tb_licensed_key) its offer has no package.
 * Version: 2.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Update URI: https://updates.testbed.example/tb-licensed/
 * Author: Testbed
 * License: Proprietary (in name only: MIT like the rest)
 */
defined( 'ABSPATH' ) || exit;

add_filter( 'update_plugins_updates.testbed.example', function ( $update, $data, $file ) {
	if ( plugin_basename( __FILE__ ) !== $file ) {
		return $update;
	}
	$answer = wp_remote_get( add_query_arg(
		'key',
		rawurlencode( (string) get_option( 'tb_licensed_key', '' ) ),
		'https://updates.testbed.example/tb-licensed/offer'
	) );
	if ( 200 !== wp_remote_retrieve_response_code( $answer ) ) {
		return $update;
	}
	$offer = json_decode( wp_remote_retrieve_body( $answer ), true );
	return is_array( $offer ) ? $offer : $update;
}, 10, 3 );

// A new key may unlock a package: forget the offers that WordPress remembers.
foreach ( array( 'add_option_tb_licensed_key', 'update_option_tb_licensed_key' ) as $tb_hook ) {
	add_action( $tb_hook, function () {
		delete_site_transient( 'update_plugins' );
	} );
}
