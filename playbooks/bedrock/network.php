<?php
/**
 * What the other scripts share about a network of sites. They read it inside WordPress; it only reads, and
 * switches to no site, so that nothing of one runs for another.
 */

const INTENDANT_SITES = 5000;
/** The most pages that are visited besides the front page. */
const INTENDANT_PAGES = 20;

/**
 * The sites of a network that are neither archived, deleted nor spam, the oldest first: `domain`, `path`,
 * `db_version`, `plugins` (their files), `themes` (folders) and `language`. None where there is no network. Sites
 * without tables are left out.
 */
function intendant_sites() {
	global $wpdb;
	if ( ! is_multisite() ) {
		return array();
	}
	$sites = array();
	$shown = $wpdb->suppress_errors( true );
	$rows  = $wpdb->get_results( "SELECT blog_id, domain, path FROM $wpdb->blogs WHERE spam = 0 AND deleted = 0 AND archived = '0' ORDER BY blog_id LIMIT " . INTENDANT_SITES );
	foreach ( (array) $rows as $row ) {
		$options = array();
		$table   = $wpdb->get_blog_prefix( (int) $row->blog_id ) . 'options';
		$found   = $wpdb->get_results( "SELECT option_name, option_value FROM `$table` WHERE option_name IN ('db_version', 'active_plugins', 'stylesheet', 'template', 'WPLANG')" );
		foreach ( (array) $found as $option ) {
			$options[ $option->option_name ] = (string) $option->option_value;
		}
		if ( ! isset( $options['db_version'] ) ) {
			continue;
		}
		$plugins = isset( $options['active_plugins'] ) ? @unserialize( $options['active_plugins'], array( 'allowed_classes' => false ) ) : array();
		$plugins = is_array( $plugins ) ? array_values( array_filter( $plugins, 'is_string' ) ) : array();
		sort( $plugins );
		$sites[] = array(
			'domain'     => (string) $row->domain,
			'path'       => (string) $row->path,
			'db_version' => $options['db_version'],
			'plugins'    => $plugins,
			'themes'     => array_values( array_intersect_key( $options, array( 'stylesheet' => 1, 'template' => 1 ) ) ),
			'language'   => isset( $options['WPLANG'] ) ? $options['WPLANG'] : '',
		);
	}
	$wpdb->suppress_errors( $shown );
	return $sites;
}

/** The version of the data: that of the site that lags most, for a network is as old as its oldest site. */
function intendant_data_version( array $sites ) {
	global $wpdb;
	$versions = array_column( $sites, 'db_version' );
	if ( ! $versions ) {
		return (string) $wpdb->get_var( "SELECT option_value FROM $wpdb->options WHERE option_name = 'db_version'" );
	}
	return (string) min( array_map( 'intval', $versions ) );
}

/**
 * The front pages of a network's sites that lie on the host of its first site, without that one's: first one for each set of
 * theme and plugins that no other page shows, then the oldest.
 */
function intendant_pages( array $sites ) {
	if ( ! is_multisite() ) {
		return array();
	}
	$pages = array();
	$seen  = array();
	$more  = array();
	$main  = get_network();
	$home  = $main ? $main->path : '/';
	foreach ( $sites as $site ) {
		$set = implode( "\n", array_merge( $site['themes'], array( '' ), $site['plugins'] ) );
		if ( $main && $site['domain'] === $main->domain && $site['path'] === $home ) {
			$seen[ $set ] = true;
		}
	}
	foreach ( $sites as $site ) {
		if ( ! $main || $site['domain'] !== $main->domain || $site['path'] === $home || 0 !== strpos( $site['path'], $home ) ) {
			continue;
		}
		$set  = implode( "\n", array_merge( $site['themes'], array( '' ), $site['plugins'] ) );
		$page = '/' . ltrim( substr( $site['path'], strlen( $home ) ), '/' );
		if ( isset( $seen[ $set ] ) ) {
			$more[] = $page;
		} else {
			$seen[ $set ] = true;
			$pages[]      = $page;
		}
	}
	return array_slice( array_merge( $pages, $more ), 0, INTENDANT_PAGES );
}
