<?php
/**
 * Plugin Name: TB Addon
 * Description: Test plugin that needs tb-base, any version.
 * Version: 1.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Requires Plugins: tb-base
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;

add_action( 'wp_footer', function () {
	echo '<p class="tb-addon">tb-addon 1.0</p>' . "\n";
} );
