<?php
/**
 * Plugin Name: TB Broken
 * Description: Test plugin that works on the command line and is fatal on the web: every page answers 500.
 * Version: 1.1
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;

if ( PHP_SAPI !== 'cli' ) {
	throw new Error( 'tb-broken 1.1: not on the web' );
}
