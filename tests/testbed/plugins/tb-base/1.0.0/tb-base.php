<?php
/**
 * Plugin Name: TB Base
 * Description: Test plugin that others depend on. Prints its version in the footer.
 * Version: 1.0.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Author: Testbed
 * License: MIT
 * Text Domain: tb-base
 */
defined( 'ABSPATH' ) || exit;
define( 'TB_BASE_VERSION', '1.0.0' );

add_action( 'wp_footer', function () {
	echo '<p class="tb-base">tb-base ' . TB_BASE_VERSION . "</p>\n";
} );
