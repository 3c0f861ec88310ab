<?php
/**
 * Plugin Name: TB New PHP
 * Description: Test plugin whose version 2.0 needs a PHP that does not exist yet.
 * Version: 1.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;
