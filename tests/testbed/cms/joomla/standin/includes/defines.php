<?php
// STAND-IN for Joomla: where everything lies.
defined( '_JEXEC' ) || die;
define( 'JPATH_ROOT', dirname( __DIR__ ) );
define( 'JPATH_SITE', JPATH_ROOT );
define( 'JPATH_CONFIGURATION', JPATH_ROOT );
define( 'JPATH_ADMINISTRATOR', JPATH_ROOT . '/administrator' );
define( 'JPATH_LIBRARIES', JPATH_ROOT . '/libraries' );
define( 'JPATH_PLUGINS', JPATH_ROOT . '/plugins' );
