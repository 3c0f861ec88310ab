<?php
/**
 * Plugin Name: TB Broken
 * Description: Test plugin; its next version works on the command line and is fatal on the web.
 * Version: 1.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;
