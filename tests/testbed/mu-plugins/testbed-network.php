<?php
/**
 * Plugin Name: Testbed network
 * Description: Lets WordPress reach the WordPress.org stand-in on a loopback address with a throwaway authority.
 *
 * WordPress trusts only the certificates it ships, and refuses loopback hosts in
 * its "safe" requests; the stand-in has a throwaway certificate and a loopback
 * address. With the ini value testbed.block_loopback the site's requests to
 * itself fail, as on a host whose firewall forbids them.
 */
defined( 'ABSPATH' ) || exit;

add_filter( 'http_request_args', function ( $args ) {
	if ( ini_get( 'curl.cainfo' ) ) {
		$args['sslcertificates'] = ini_get( 'curl.cainfo' );
	}
	return $args;
} );

add_filter( 'http_request_host_is_external', function ( $external, $host ) {
	return $external || preg_match( '/(^|\.)(wordpress\.org|w\.org|testbed\.example)$/', $host );
}, 10, 2 );

add_filter( 'pre_http_request', function ( $answer, $args, $url ) {
	if ( get_cfg_var( 'testbed.block_loopback' )
		&& wp_parse_url( $url, PHP_URL_HOST ) === wp_parse_url( home_url(), PHP_URL_HOST ) ) {
		return new WP_Error( 'http_request_failed', 'cURL error 7: Failed to connect to ' . wp_parse_url( $url, PHP_URL_HOST ) . ': Connection refused' );
	}
	return $answer;
}, 10, 3 );
