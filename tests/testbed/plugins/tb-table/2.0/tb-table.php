<?php
/**
 * Plugin Name: TB Table
 * Description: Test plugin with a table of its own. On its first load it makes a second table and moves amounts there.
 * Version: 2.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;

add_action( 'plugins_loaded', function () {
	global $wpdb;
	if ( '1' !== get_option( 'tb_table_db_version' ) ) {
		return;
	}
	update_option( 'tb_table_db_version', '2' );
	$wpdb->query( "CREATE TABLE IF NOT EXISTS {$wpdb->prefix}tb_amounts (
		record_id bigint unsigned NOT NULL PRIMARY KEY,
		cents int NOT NULL
	) {$wpdb->get_charset_collate()}" );
	$wpdb->query( "INSERT INTO {$wpdb->prefix}tb_amounts (record_id, cents)
		SELECT id, ROUND(amount * 100) FROM {$wpdb->prefix}tb_records" );
	$wpdb->query( "UPDATE {$wpdb->prefix}tb_records SET name = CONCAT('[v2] ', name)" );
	$wpdb->query( "ALTER TABLE {$wpdb->prefix}tb_records DROP COLUMN amount" );
} );
