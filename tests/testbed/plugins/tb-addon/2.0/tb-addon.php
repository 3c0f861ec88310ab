<?php
/**
 * Plugin Name: TB Addon
 * Description: Test plugin that needs tb-base 1.1 or later: with an older one every request ends in a fatal error.
 * Version: 2.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Requires Plugins: tb-base
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;

add_action( 'init', function () {
	$GLOBALS['tb_addon_greeting'] = tb_base_greeting();
} );
add_action( 'wp_footer', function () {
	echo '<p class="tb-addon">tb-addon 2.0 says ' . esc_html( $GLOBALS['tb_addon_greeting'] ) . "</p>\n";
} );
