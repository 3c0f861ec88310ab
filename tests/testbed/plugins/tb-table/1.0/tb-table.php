<?php
/**
 * Plugin Name: TB Table
 * Description: Test plugin with a table of its own.
 * Version: 1.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;

register_activation_hook( __FILE__, function () {
	global $wpdb;
	$wpdb->query( "CREATE TABLE IF NOT EXISTS {$wpdb->prefix}tb_records (
		id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
		name varchar(100) NOT NULL,
		amount varchar(20) NOT NULL,
		payload longblob
	) {$wpdb->get_charset_collate()}" );
	for ( $i = 1; $i <= 20; $i++ ) {
		$wpdb->insert( "{$wpdb->prefix}tb_records", array(
			'name'    => "Réservation n° $i \u{1F4C5} 'quoted' \\ \"both\"",
			'amount'  => sprintf( '%d.%02d', $i * 7, $i ),
			'payload' => pack( 'N*', 0, $i, 0x0a0d1a27, 0xfffe5c00 ),
		) );
	}
	update_option( 'tb_table_db_version', '1' );
} );
